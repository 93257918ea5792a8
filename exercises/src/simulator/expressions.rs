//! Values of expressions, for all invocations of a workgroup at once.

use super::arithmetic::{binary, convert, math, unary};
use super::kernel::Flaw;
use super::layout::{array_stride, member_offset, words};
use super::machine::{Column, Machine, Outside};
use super::memory::Kind;
use super::statements::Frame;
use naga::{
    ArraySize, BinaryOperator, Expression, Handle, Literal, MathFunction, RelationalFunction, ScalarKind, Span, Type,
    TypeInner,
};
use std::rc::Rc;

/// The word of a pointer to an element that does not exist.
const NOWHERE: u32 = u32::MAX;

impl<'a> Machine<'a> {
    /// Evaluates an expression for these invocations, and keeps it in the frame.
    pub fn evaluate(&mut self, frame: &mut Frame<'a>, handle: Handle<Expression>, lanes: &[u32]) -> Result<(), Flaw> {
        let column = self.column_of(frame, handle, lanes)?;
        frame.columns[handle.index()] = Some(Rc::new(column));
        Ok(())
    }

    /// The value of an expression that has been evaluated, or needs not be.
    pub fn value(&mut self, frame: &mut Frame<'a>, handle: Handle<Expression>) -> Result<Rc<Column>, Flaw> {
        if frame.columns[handle.index()].is_none() {
            let everyone: Vec<u32> = (0..self.lanes as u32).collect();
            self.evaluate(frame, handle, &everyone)?;
        }
        Ok(frame.columns[handle.index()].clone().expect("the expression has just been evaluated"))
    }

    /// As [`value`](Self::value), of an expression that is no pointer: number of words, and the words of all invocations.
    pub fn data(&mut self, frame: &mut Frame<'a>, handle: Handle<Expression>) -> Result<Words, Flaw> {
        let span = frame.function.expressions.get_span(handle);
        let column = self.value(frame, handle)?;
        match &*column {
            Column::Words { size, .. } => Ok(Words { size: *size, column }),
            Column::Pointer { .. } => Err(self.kernel.flaw(span, "the checker expects a number here".into())),
        }
    }

    /// The value of a constant expression of the module.
    pub fn constant(&self, handle: Handle<Expression>, span: Span) -> Result<Vec<u32>, Flaw> {
        let module = &self.kernel.module;
        match &module.global_expressions[handle] {
            Expression::Literal(literal) => self.literal(*literal, span).map(|word| vec![word]),
            Expression::Constant(constant) => self.constant(module.constants[*constant].init, span),
            Expression::ZeroValue(ty) => Ok(vec![0; words(module, &module.types[*ty].inner)]),
            Expression::Splat { size, value } => Ok(self.constant(*value, span)?.repeat(*size as usize)),
            Expression::Compose { ty, components } => {
                let parts = components.iter().map(|&part| self.constant(part, span)).collect::<Result<Vec<_>, _>>()?;
                let sizes: Vec<_> = parts.iter().map(Vec::len).collect();
                let mut value = vec![0; words(module, &module.types[*ty].inner)];
                for (part, offset) in parts.iter().zip(self.offsets(*ty, &sizes)) {
                    value[offset..offset + part.len()].copy_from_slice(part);
                }
                Ok(value)
            }
            _ => Err(self.kernel.flaw(span, "the checker does not know this constant expression".into())),
        }
    }

    fn literal(&self, literal: Literal, span: Span) -> Result<u32, Flaw> {
        Ok(match literal {
            Literal::F32(x) => x.to_bits(),
            Literal::U32(x) => x,
            Literal::I32(x) => x as u32,
            Literal::Bool(x) => u32::from(x),
            Literal::AbstractInt(x) => x as u32,
            Literal::AbstractFloat(x) => (x as f32).to_bits(),
            _ => return Err(self.kernel.flaw(span, "the checker knows f32, i32, u32 and bool only".into())),
        })
    }

    /// The first word of each component of a value of type `ty`, given their numbers of words.
    fn offsets(&self, ty: Handle<Type>, sizes: &[usize]) -> Vec<usize> {
        let module = &self.kernel.module;
        let inner = &module.types[ty].inner;
        let offset = |i: usize| match inner {
            TypeInner::Array { base, stride, .. } => i * array_stride(module, *base, *stride),
            TypeInner::Struct { .. } => member_offset(module, inner, i),
            _ => sizes[..i].iter().sum(),
        };
        (0..sizes.len()).map(offset).collect()
    }

    fn inner(&self, frame: &Frame<'a>, handle: Handle<Expression>) -> &'a TypeInner {
        frame.info[handle].ty.inner_with(&self.kernel.module.types)
    }

    fn kind(&self, frame: &Frame<'a>, handle: Handle<Expression>) -> ScalarKind {
        self.inner(frame, handle).scalar_kind().unwrap_or(ScalarKind::AbstractInt)
    }

    fn column_of(&mut self, frame: &mut Frame<'a>, handle: Handle<Expression>, lanes: &[u32]) -> Result<Column, Flaw> {
        let module = &self.kernel.module;
        let span = frame.function.expressions.get_span(handle);
        let unknown = |what: &str| self.kernel.flaw(span, format!("the checker does not know {what}"));
        let same = |value: Vec<u32>, lanes: usize| Column::Words { size: value.len(), data: value.repeat(lanes) };
        let size = words(module, self.inner(frame, handle));
        match &frame.function.expressions[handle] {
            Expression::Literal(literal) => Ok(same(vec![self.literal(*literal, span)?], self.lanes)),
            Expression::Constant(constant) => {
                Ok(same(self.constant(module.constants[*constant].init, span)?, self.lanes))
            }
            Expression::ZeroValue(_) => Ok(same(vec![0; size], self.lanes)),
            Expression::FunctionArgument(index) => Ok((*frame.arguments[*index as usize]).clone()),
            Expression::GlobalVariable(global) => Ok(self.start_of(global.index())),
            Expression::LocalVariable(local) => Ok(self.start_of(frame.locals[local.index()])),
            Expression::Compose { ty, components } => {
                let parts = components.iter().map(|&part| self.data(frame, part)).collect::<Result<Vec<_>, _>>()?;
                let sizes: Vec<_> = parts.iter().map(|part| part.size).collect();
                let offsets = self.offsets(*ty, &sizes);
                Ok(self.each(size, lanes, |lane, out| {
                    for (part, &offset) in parts.iter().zip(&offsets) {
                        out[offset..offset + part.size].copy_from_slice(part.of(lane));
                    }
                }))
            }
            Expression::Splat { value, .. } => {
                let value = self.data(frame, *value)?;
                Ok(self.each(size, lanes, |lane, out| out.fill(value.of(lane)[0])))
            }
            Expression::Swizzle { vector, pattern, .. } => {
                let vector = self.data(frame, *vector)?;
                Ok(self.each(size, lanes, |lane, out| {
                    out.iter_mut().zip(pattern).for_each(|(out, &i)| *out = vector.of(lane)[i as usize]);
                }))
            }
            Expression::AccessIndex { base, index } => {
                let index = Indices::Fixed(*index);
                self.element(frame, (*base, handle), &index, lanes)
            }
            Expression::Access { base, index } => {
                let signed = self.kind(frame, *index) == ScalarKind::Sint;
                let index = Indices::Each(self.data(frame, *index)?, signed);
                self.element(frame, (*base, handle), &index, lanes)
            }
            Expression::Load { pointer } => self.load(frame, *pointer, size, lanes, span),
            Expression::ArrayLength(array) => {
                let column = self.value(frame, *array)?;
                let TypeInner::Pointer { base, .. } = *self.inner(frame, *array) else {
                    return Err(unknown("this array"));
                };
                match (&*column, &module.types[base].inner) {
                    (Column::Pointer { memory, offsets, .. }, TypeInner::Array { base, stride, .. }) => {
                        let first = offsets.first().map_or(0, |&offset| offset as usize);
                        let length = self.memories[*memory].words.len().saturating_sub(first);
                        Ok(same(vec![(length / array_stride(module, *base, *stride)) as u32], self.lanes))
                    }
                    _ => Err(unknown("this array")),
                }
            }
            Expression::Unary { op, expr } => {
                let (kind, x) = (self.kind(frame, *expr), self.data(frame, *expr)?);
                self.words(size, lanes, |lane, i| unary(*op, kind, x.at(lane, i)))
                    .ok_or_else(|| unknown("this operation"))
            }
            Expression::Binary { op, left, right } => {
                let kind = self.kind(frame, *left);
                let (a, b) = (self.data(frame, *left)?, self.data(frame, *right)?);
                self.words(size, lanes, |lane, i| binary(*op, kind, a.at(lane, i), b.at(lane, i)))
                    .ok_or_else(|| unknown("this operation"))
            }
            Expression::Select { condition, accept, reject } => {
                let condition = self.data(frame, *condition)?;
                let (accept, reject) = (self.data(frame, *accept)?, self.data(frame, *reject)?);
                let pick = |lane, i| if condition.at(lane, i) != 0 { &accept } else { &reject }.at(lane, i);
                self.words(size, lanes, |lane, i| Some(pick(lane, i))).ok_or_else(|| unknown("this selection"))
            }
            Expression::Relational { fun, argument } => {
                let x = self.data(frame, *argument)?;
                let float = |lane, i| f32::from_bits(x.at(lane, i));
                let holds = |lane, i| match fun {
                    RelationalFunction::All => x.of(lane).iter().all(|&x| x != 0),
                    RelationalFunction::Any => x.of(lane).iter().any(|&x| x != 0),
                    RelationalFunction::IsNan => float(lane, i).is_nan(),
                    RelationalFunction::IsInf => float(lane, i).is_infinite(),
                };
                self.words(size, lanes, |lane, i| Some(holds(lane, i).into())).ok_or_else(|| unknown("this function"))
            }
            Expression::Math { fun: MathFunction::Dot, arg, arg1: Some(arg1), .. } => {
                let kind = self.kind(frame, *arg);
                let (a, b) = (self.data(frame, *arg)?, self.data(frame, *arg1)?);
                let product = |lane, i| binary(BinaryOperator::Multiply, kind, a.at(lane, i), b.at(lane, i));
                self.words(size, lanes, |lane, _| {
                    let add = |sum, i| binary(BinaryOperator::Add, kind, sum, product(lane, i)?);
                    (1..a.size).try_fold(product(lane, 0)?, add)
                })
                .ok_or_else(|| unknown("this product"))
            }
            Expression::Math { fun, arg, arg1, arg2, arg3: _ } => {
                let kind = self.kind(frame, *arg);
                let a = self.data(frame, *arg)?;
                let b = arg1.map(|arg| self.data(frame, arg)).transpose()?;
                let c = arg2.map(|arg| self.data(frame, arg)).transpose()?;
                self.words(size, lanes, |lane, i| {
                    let more = [&b, &c].map(|x| x.as_ref().map_or(0, |x| x.at(lane, i)));
                    math(*fun, kind, [a.at(lane, i), more[0], more[1]])
                })
                .ok_or_else(|| unknown(&format!("the function {fun:?} of these operands")))
            }
            Expression::As { expr, kind, convert: width } => {
                let (from, x) = (self.kind(frame, *expr), self.data(frame, *expr)?);
                let value = |x| if width.is_some() { convert(from, *kind, x) } else { Some(x) };
                self.words(size, lanes, |lane, i| value(x.at(lane, i))).ok_or_else(|| unknown("this conversion"))
            }
            _ => Err(unknown("this expression")),
        }
    }

    /// A column of `size` words, which `value` fills for each of `lanes`.
    fn each(&self, size: usize, lanes: &[u32], value: impl Fn(u32, &mut [u32])) -> Column {
        let mut data = vec![0; size * self.lanes];
        lanes.iter().for_each(|&lane| value(lane, &mut data[lane as usize * size..][..size]));
        Column::Words { size, data }
    }

    /// A column of `size` words, word by word, unless one of them has no value.
    fn words(&self, size: usize, lanes: &[u32], value: impl Fn(u32, usize) -> Option<u32>) -> Option<Column> {
        let mut data = vec![0; size * self.lanes];
        for &lane in lanes {
            for (i, word) in data[lane as usize * size..][..size].iter_mut().enumerate() {
                *word = value(lane, i)?;
            }
        }
        Some(Column::Words { size, data })
    }

    fn start_of(&self, memory: usize) -> Column {
        let own = if let Kind::Own(size) = self.memories[memory].kind { size } else { 0 };
        let offsets = (0..self.lanes).map(|lane| (lane * own) as u32).collect();
        Column::Pointer { memory, offsets, outside: vec![] }
    }

    /// The element of `base` with an index: a pointer to it if `base` is one, else its value.
    fn element(
        &mut self,
        frame: &mut Frame<'a>,
        (base, handle): (Handle<Expression>, Handle<Expression>),
        index: &Indices,
        lanes: &[u32],
    ) -> Result<Column, Flaw> {
        let module = &self.kernel.module;
        let span = frame.function.expressions.get_span(handle);
        let column = self.value(frame, base)?;
        let inner = match self.inner(frame, base) {
            TypeInner::Pointer { base, .. } => &module.types[*base].inner,
            inner => inner,
        };
        // Words from one element to the next, and number of elements; a struct has neither.
        let extent = match inner {
            TypeInner::Array { base, size, stride } => {
                let count = if let ArraySize::Constant(count) = size { Some(count.get() as usize) } else { None };
                Some((array_stride(module, *base, *stride), count))
            }
            TypeInner::Vector { size, .. } | TypeInner::ValuePointer { size: Some(size), .. } => {
                Some((1, Some(*size as usize)))
            }
            TypeInner::Struct { .. } => None,
            _ => return Err(self.kernel.flaw(span, "the checker knows no matrices".into())),
        };
        let place = |index: i64, all: usize| match extent {
            None => Ok(member_offset(module, inner, index as usize)),
            Some((stride, count)) => {
                let length = count.unwrap_or(all / stride);
                let inside = (0..length as i64).contains(&index);
                if inside { Ok(index as usize * stride) } else { Err(length) }
            }
        };
        match &*column {
            Column::Pointer { memory, offsets, outside } => {
                let all = self.memories[*memory].words.len();
                let (mut next, mut outside) = (vec![NOWHERE; self.lanes], outside.clone());
                for &lane in lanes {
                    let (index, first) = (index.of(lane), offsets[lane as usize]);
                    if first == NOWHERE {
                        continue;
                    }
                    match place(index, all - first as usize) {
                        Ok(more) => next[lane as usize] = first + more as u32,
                        Err(length) => outside.push(Outside { lane, index, length }),
                    }
                }
                Ok(Column::Pointer { memory: *memory, offsets: next, outside })
            }
            Column::Words { size, data } => {
                let part = words(module, self.inner(frame, handle));
                let mut picked = vec![0; part * self.lanes];
                for &lane in lanes {
                    let (index, lane) = (index.of(lane), lane as usize);
                    let at = place(index, *size).map_err(|length| {
                        let who = self.who(lane as u32);
                        self.kernel.flaw(span, format!("{who} takes element {index} of a value that has {length}"))
                    })?;
                    let value = &data[lane * size + at..][..part];
                    picked[lane * part..][..part].copy_from_slice(value);
                }
                Ok(Column::Words { size: part, data: picked })
            }
        }
    }

    /// The `size` words that a pointer points to.
    pub fn load(
        &mut self,
        frame: &mut Frame<'a>,
        pointer: Handle<Expression>,
        size: usize,
        lanes: &[u32],
        span: Span,
    ) -> Result<Column, Flaw> {
        let column = self.value(frame, pointer)?;
        let Column::Pointer { memory, offsets, .. } = &*column else {
            return Err(self.kernel.flaw(span, "the checker expects a variable here".into()));
        };
        let mut data = vec![0; size * self.lanes];
        for &lane in lanes {
            let offset = self.place(&column, lane, size, "reads", span)?;
            self.access((*memory, offset), size, lane, false, span)?;
            let words = &self.memories[*memory].words[offset..offset + size];
            data[lane as usize * size..][..size].copy_from_slice(words);
        }
        self.count(*memory, offsets, lanes, size, false);
        Ok(Column::Words { size, data })
    }

    /// The first word of the `size` words that a pointer points to.
    pub fn place(&self, column: &Column, lane: u32, size: usize, verb: &str, span: Span) -> Result<usize, Flaw> {
        let Column::Pointer { memory, offsets, outside } = column else {
            return Err(self.kernel.flaw(span, "the checker expects a variable here".into()));
        };
        let memory = &self.memories[*memory];
        let offset = offsets[lane as usize];
        if offset != NOWHERE && offset as usize + size <= memory.words.len() {
            return Ok(offset as usize);
        }
        let (who, name) = (self.who(lane), &memory.name);
        let message = match outside.iter().find(|outside| outside.lane == lane) {
            Some(Outside { index, length, .. }) => {
                format!("{who} {verb} outside `{name}`: the index is {index}, and the length is {length}")
            }
            None => format!("{who} {verb} outside `{name}`"),
        };
        Err(self.kernel.flaw(span, message))
    }
}

/// The words of an expression that is no pointer.
pub(super) struct Words {
    pub size: usize,
    column: Rc<Column>,
}

impl Words {
    /// The words of an invocation.
    pub fn of(&self, lane: u32) -> &[u32] {
        match &*self.column {
            Column::Words { size, data } => &data[lane as usize * size..][..*size],
            Column::Pointer { .. } => &[],
        }
    }

    /// Component `i` of an invocation's vector, or its only number.
    fn at(&self, lane: u32, i: usize) -> u32 {
        self.of(lane)[if self.size == 1 { 0 } else { i }]
    }
}

/// An index: the same for all invocations, or a number of each, with whether it is signed.
enum Indices {
    Fixed(u32),
    Each(Words, bool),
}

impl Indices {
    fn of(&self, lane: u32) -> i64 {
        match self {
            Self::Fixed(index) => (*index).into(),
            Self::Each(words, true) => i64::from(words.of(lane)[0] as i32),
            Self::Each(words, false) => words.of(lane)[0].into(),
        }
    }
}
