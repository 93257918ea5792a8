//! Statements, executed by those invocations of a workgroup that reach them.

use super::arithmetic::{binary, math};
use super::kernel::Flaw;
use super::layout::words;
use super::machine::{Column, Machine};
use super::memory::{Kind, Memory};
use naga::valid::FunctionInfo;
use naga::{
    Barrier, BinaryOperator, Block, Expression, Function, GatherMode, Handle, MathFunction, ScalarKind, Span,
    Statement, SubgroupOperation, SwitchValue,
};
use std::rc::Rc;

/// Invocations of a workgroup by their index, in order.
type Lanes = Vec<u32>;

/// A function that is running.
pub(super) struct Frame<'a> {
    pub function: &'a Function,
    pub info: &'a FunctionInfo,
    pub arguments: Vec<Rc<Column>>,
    pub columns: Vec<Option<Rc<Column>>>,
    /// Where its variables are in [`Machine::memories`].
    pub locals: Vec<usize>,
    result: Option<(usize, Vec<u32>)>,
    /// Those that have left each loop or switch around the statement, and those that have ended this turn of each loop.
    breaks: Vec<Lanes>,
    continues: Vec<Lanes>,
}

impl<'a> Machine<'a> {
    /// Runs a function, and returns what it returns.
    pub fn call(
        &mut self,
        function: &'a Function,
        info: &'a FunctionInfo,
        arguments: Vec<Rc<Column>>,
        lanes: Lanes,
    ) -> Result<Option<Column>, Flaw> {
        let module = &self.kernel.module;
        let first = self.memories.len();
        for (handle, local) in function.local_variables.iter() {
            let size = words(module, &module.types[local.ty].inner);
            let name = local.name.clone().unwrap_or_default();
            let all = vec![0; size * self.lanes];
            self.memories.push(Memory { name, ty: local.ty, kind: Kind::Own(size), words: all, traces: vec![] });
            debug_assert_eq!(first + handle.index() + 1, self.memories.len());
        }
        let mut frame = Frame {
            function,
            info,
            arguments,
            columns: vec![None; function.expressions.len()],
            locals: (first..self.memories.len()).collect(),
            result: None,
            breaks: vec![],
            continues: vec![],
        };
        for (handle, local) in function.local_variables.iter() {
            if let Some(init) = local.init {
                let value = self.data(&mut frame, init)?;
                let all = (0..self.lanes as u32).flat_map(|lane| value.of(lane)).copied().collect();
                self.memories[first + handle.index()].words = all;
            }
        }
        self.block(&mut frame, &function.body, lanes)?;
        self.memories.truncate(first);
        Ok(frame.result.map(|(size, data)| Column::Words { size, data }))
    }

    /// Executes a block, and returns those that reach its end.
    fn block(&mut self, frame: &mut Frame<'a>, block: &'a Block, mut lanes: Lanes) -> Result<Lanes, Flaw> {
        for (statement, &span) in block.span_iter() {
            if lanes.is_empty() {
                break;
            }
            lanes = self.statement(frame, statement, span, lanes)?;
        }
        Ok(lanes)
    }

    fn statement(
        &mut self,
        frame: &mut Frame<'a>,
        statement: &'a Statement,
        span: Span,
        lanes: Lanes,
    ) -> Result<Lanes, Flaw> {
        match statement {
            Statement::Emit(range) => {
                range.clone().try_for_each(|handle| self.evaluate(frame, handle, &lanes))?;
            }
            Statement::Block(block) => return self.block(frame, block, lanes),
            Statement::If { condition, accept, reject } => {
                let condition = self.data(frame, *condition)?;
                let (yes, no) = lanes.into_iter().partition(|&lane| condition.of(lane)[0] != 0);
                let yes = self.block(frame, accept, yes)?;
                let no = self.block(frame, reject, no)?;
                return Ok(merged(yes, no));
            }
            Statement::Switch { selector, cases } => {
                let selector = self.data(frame, *selector)?;
                let is = |case: &SwitchValue, lane: u32| match case {
                    SwitchValue::I32(value) => *value as u32 == selector.of(lane)[0],
                    SwitchValue::U32(value) => *value == selector.of(lane)[0],
                    SwitchValue::Default => false,
                };
                frame.breaks.push(vec![]);
                let (mut rest, mut through, mut end) = (lanes, vec![], vec![]);
                for case in cases {
                    let others = |lane: u32| cases.iter().any(|case| is(&case.value, lane));
                    let default = case.value == SwitchValue::Default;
                    let (mine, later) =
                        rest.into_iter().partition(|&lane| if default { !others(lane) } else { is(&case.value, lane) });
                    rest = later;
                    let left = self.block(frame, &case.body, merged(mine, through))?;
                    (through, end) = if case.fall_through { (left, end) } else { (vec![], merged(end, left)) };
                }
                let broken = frame.breaks.pop().unwrap_or_default();
                return Ok(merged(merged(end, rest), merged(through, broken)));
            }
            Statement::Loop { body, continuing, break_if } => {
                return self.repeat(frame, (body, continuing, *break_if), span, lanes);
            }
            Statement::Break => {
                let broken = frame.breaks.last_mut().expect("validation allows a break in a loop or switch only");
                *broken = merged(std::mem::take(broken), lanes);
                return Ok(vec![]);
            }
            Statement::Continue => {
                let ended = frame.continues.last_mut().expect("validation allows a continue in a loop only");
                *ended = merged(std::mem::take(ended), lanes);
                return Ok(vec![]);
            }
            Statement::Return { value } => {
                if let Some(value) = value {
                    let value = self.data(frame, *value)?;
                    let all = vec![0; value.size * self.lanes];
                    let (size, data) = frame.result.get_or_insert((value.size, all));
                    for lane in lanes {
                        data[lane as usize * *size..][..*size].copy_from_slice(value.of(lane));
                    }
                }
                return Ok(vec![]);
            }
            Statement::ControlBarrier(barrier) => self.barrier(*barrier, &lanes, span)?,
            Statement::WorkGroupUniformLoad { pointer, result } => {
                self.barrier(Barrier::WORK_GROUP, &lanes, span)?;
                let types = &self.kernel.module.types;
                let size = words(&self.kernel.module, frame.info[*result].ty.inner_with(types));
                let loaded = self.load(frame, *pointer, size, &lanes, span)?;
                frame.columns[result.index()] = Some(Rc::new(loaded));
                self.barrier(Barrier::WORK_GROUP, &lanes, span)?;
            }
            Statement::Store { pointer, value } => {
                let column = self.value(frame, *pointer)?;
                let value = self.data(frame, *value)?;
                let Column::Pointer { memory, offsets, .. } = &*column else {
                    return Err(self.kernel.flaw(span, "the checker expects a variable here".into()));
                };
                for &lane in &lanes {
                    let offset = self.place(&column, lane, value.size, "writes", span)?;
                    self.access((*memory, offset), value.size, lane, true, span)?;
                    self.memories[*memory].words[offset..offset + value.size].copy_from_slice(value.of(lane));
                }
                self.count(*memory, offsets, &lanes, value.size, true);
            }
            Statement::Call { function, arguments, result } => {
                let arguments = arguments.iter().map(|&a| self.value(frame, a)).collect::<Result<_, _>>()?;
                let (callee, info) = (&self.kernel.module.functions[*function], &self.kernel.info[*function]);
                let returned = self.call(callee, info, arguments, lanes.clone())?;
                if let (Some(result), Some(returned)) = (result, returned) {
                    frame.columns[result.index()] = Some(Rc::new(returned));
                }
            }
            Statement::SubgroupGather { mode, argument, result } => {
                self.gather(frame, mode, (*argument, *result), &lanes, span)?;
            }
            Statement::SubgroupCollectiveOperation {
                op,
                collective_op: naga::CollectiveOperation::Reduce,
                argument,
                result,
            } => self.reduce(frame, *op, (*argument, *result), &lanes, span)?,
            _ => return Err(self.kernel.flaw(span, "the checker does not know this statement".into())),
        }
        Ok(lanes)
    }

    fn repeat(
        &mut self,
        frame: &mut Frame<'a>,
        (body, continuing, break_if): (&'a Block, &'a Block, Option<Handle<Expression>>),
        span: Span,
        mut lanes: Lanes,
    ) -> Result<Lanes, Flaw> {
        let mut left = vec![];
        self.loops.push((span, 0));
        while !lanes.is_empty() {
            self.turn(&lanes)?;
            frame.breaks.push(vec![]);
            frame.continues.push(vec![]);
            let end = self.block(frame, body, lanes)?;
            let ended = frame.continues.pop().unwrap_or_default();
            left = merged(left, frame.breaks.pop().unwrap_or_default());
            lanes = self.block(frame, continuing, merged(end, ended))?;
            if let Some(condition) = break_if {
                let condition = self.data(frame, condition)?;
                let (out, on) = lanes.into_iter().partition(|&lane| condition.of(lane)[0] != 0);
                left = merged(left, out);
                lanes = on;
            }
        }
        self.loops.pop();
        Ok(left)
    }

    fn barrier(&mut self, barrier: Barrier, lanes: &[u32], span: Span) -> Result<(), Flaw> {
        if let Some(missing) = (0..self.lanes as u32).zip(lanes).find(|(all, lane)| all != *lane).map(|(all, _)| all) {
            return self.unreached(missing, span);
        }
        if lanes.len() < self.lanes {
            return self.unreached(lanes.len() as u32, span);
        }
        self.epochs[0] += u32::from(barrier.contains(Barrier::WORK_GROUP));
        self.epochs[1] += u32::from(barrier.contains(Barrier::STORAGE));
        self.counts.barriers += 1;
        Ok(())
    }

    fn unreached(&self, lane: u32, span: Span) -> Result<(), Flaw> {
        let who = self.who(lane);
        Err(self.kernel.flaw(span, format!("{who} does not reach this barrier, and the others wait for it")))
    }

    fn gather(
        &mut self,
        frame: &mut Frame<'a>,
        mode: &GatherMode,
        (argument, result): (Handle<Expression>, Handle<Expression>),
        lanes: &[u32],
        span: Span,
    ) -> Result<(), Flaw> {
        let value = self.data(frame, argument)?;
        let index = match mode {
            GatherMode::BroadcastFirst => None,
            GatherMode::Broadcast(index)
            | GatherMode::Shuffle(index)
            | GatherMode::ShuffleDown(index)
            | GatherMode::ShuffleUp(index)
            | GatherMode::ShuffleXor(index) => Some(self.data(frame, *index)?),
            _ => return Err(self.kernel.flaw(span, "the checker does not know operations on quads".into())),
        };
        let mut data = vec![0; value.size * self.lanes];
        for &lane in lanes {
            let first = lane / self.subgroup * self.subgroup;
            let own = lane - first;
            let index = index.as_ref().map_or(0, |index| index.of(lane)[0]);
            let from = match mode {
                GatherMode::BroadcastFirst => lanes.iter().find(|&&other| other >= first).map(|other| other - first),
                GatherMode::Broadcast(_) | GatherMode::Shuffle(_) => Some(index),
                GatherMode::ShuffleDown(_) => own.checked_add(index),
                GatherMode::ShuffleUp(_) => own.checked_sub(index),
                _ => Some(own ^ index),
            };
            let from = from.filter(|&from| from < self.subgroup).map(|from| first + from);
            // The value from an invocation that does not take part is indeterminate, which is shown as NaN.
            let words = match from.filter(|from| lanes.binary_search(from).is_ok()) {
                Some(from) => value.of(from),
                None => &[f32::NAN.to_bits(); 4][..value.size.min(4)],
            };
            data[lane as usize * value.size..][..words.len()].copy_from_slice(words);
        }
        self.counts.shuffles += lanes.len() as u64;
        frame.columns[result.index()] = Some(Rc::new(Column::Words { size: value.size, data }));
        Ok(())
    }

    fn reduce(
        &mut self,
        frame: &mut Frame<'a>,
        op: SubgroupOperation,
        (argument, result): (Handle<Expression>, Handle<Expression>),
        lanes: &[u32],
        span: Span,
    ) -> Result<(), Flaw> {
        let types = &self.kernel.module.types;
        let kind = frame.info[argument].ty.inner_with(types).scalar_kind().unwrap_or(ScalarKind::AbstractInt);
        let value = self.data(frame, argument)?;
        let two = |a: u32, b: u32| match op {
            SubgroupOperation::Add => binary(BinaryOperator::Add, kind, a, b),
            SubgroupOperation::Mul => binary(BinaryOperator::Multiply, kind, a, b),
            SubgroupOperation::Min => math(MathFunction::Min, kind, [a, b, 0]),
            SubgroupOperation::Max => math(MathFunction::Max, kind, [a, b, 0]),
            SubgroupOperation::All | SubgroupOperation::And => Some(a & b),
            SubgroupOperation::Any | SubgroupOperation::Or => Some(a | b),
            SubgroupOperation::Xor => Some(a ^ b),
        };
        let mut data = vec![0; value.size * self.lanes];
        for members in lanes.chunk_by(|a, b| a / self.subgroup == b / self.subgroup) {
            let mut total = value.of(members[0]).to_vec();
            for &lane in &members[1..] {
                for (sum, more) in total.iter_mut().zip(value.of(lane)) {
                    let unknown = || self.kernel.flaw(span, "the checker does not know this reduction".into());
                    *sum = two(*sum, *more).ok_or_else(unknown)?;
                }
            }
            for &lane in members {
                data[lane as usize * value.size..][..value.size].copy_from_slice(&total);
            }
        }
        self.counts.shuffles += lanes.len() as u64;
        frame.columns[result.index()] = Some(Rc::new(Column::Words { size: value.size, data }));
        Ok(())
    }
}

/// Both, in order.
fn merged(mut a: Lanes, b: Lanes) -> Lanes {
    a.extend(b);
    a.sort_unstable();
    a
}
