//! Typed formulas, recorded on a tape with their gradient.

use super::expression::{Expression, Kind, Line, Meaning, Mistake, Place, folded, parse};
use ign::tape::{Shape, Source, Tape, TapeError, Values, Var};
use std::collections::BTreeMap;

/// An input of the tape.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Its line on the tape.
    pub line: usize,
    /// Its elements.
    pub elements: Vec<f32>,
}

/// Formulas on a tape, with the gradient of y, or of the sum over y, with respect to every input that influences y.
pub struct Typed {
    /// The tape.
    pub tape: Tape,
    /// The inputs, in the order of their first use.
    pub inputs: Vec<Input>,
    /// The names of lines, y among them, and of gradients, such as `∂y/∂x`.
    pub names: BTreeMap<usize, Vec<String>>,
}

/// Functions of one variable that a tape has.
type Unary = for<'t> fn(Var<'t>) -> Var<'t>;
const UNARY: [(&str, Unary); 9] = [
    ("exp", |x| x.exp()),
    ("mean", |x| x.mean()),
    ("mean_per_sample", |x| x.mean_per_sample()),
    ("relu", |x| x.relu()),
    ("sigmoid", |x| x.sigmoid()),
    ("softplus", |x| x.softplus()),
    ("sum", |x| x.sum()),
    ("sum_per_sample", |x| x.sum_per_sample()),
    ("tanh", |x| x.tanh()),
];

/// Functions of two variables that a tape has.
type Binary = for<'t> fn(Var<'t>, Var<'t>) -> Var<'t>;
const BINARY: [(&str, Binary); 3] = [("l1", |a, b| a.l1(b)), ("matmul", |a, b| a.matmul(b)), ("mse", |a, b| a.mse(b))];

/// The names of all functions.
pub fn functions() -> Vec<&'static str> {
    UNARY.iter().map(|(name, _)| *name).chain(BINARY.iter().map(|(name, _)| *name)).collect()
}

/// A number that is no line of the tape, or a line.
#[derive(Clone, Copy)]
enum Value<'t> {
    Number(f32),
    Line(Var<'t>),
}

/// The recorder of formulas.
struct Recorder<'a, 't> {
    tape: &'t Tape,
    lines: &'a [Line],
    known: BTreeMap<String, Value<'t>>,
    inputs: Vec<Input>,
}

impl Typed {
    /// Records the formulas of `text`, and the gradient of the last one.
    ///
    /// # Errors
    /// The first mistake, or the first misfit of shapes with its place.
    pub fn new(text: &str) -> Result<Self, Mistake> {
        let lines = parse(text)?;
        once(&lines)?;
        let tape = Tape::new();
        let mut recorder = Recorder { tape: &tape, lines: &lines, known: BTreeMap::new(), inputs: vec![] };
        let mut names: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        let mut last = None;
        for line in &lines {
            if let Meaning::Formula(formula) = &line.meaning {
                let value = recorder.line_of(formula)?;
                recorder.known.insert(line.name.clone(), Value::Line(value));
                names.entry(value.line()).or_default().push(line.name.clone());
                last = Some((line, value));
            }
        }
        let Some((line, y)) = last else {
            return Err(Mistake {
                place: Place { line: text.lines().count().max(1), column: 1 },
                message: "expected a formula, such as y = tanh(a * x + b)".into(),
            });
        };
        let inputs = recorder.inputs;
        let total = if y.shape().elements() == 1 { y } else { y.sum() };
        let variables = tape.all(|_| true);
        let influences = influences(&tape, y);
        let wrt: Vec<_> = inputs.iter().filter(|input| influences[input.line]).collect();
        let of: Vec<_> = wrt.iter().map(|input| variables[input.line]).collect();
        let gradients = if of.is_empty() { Ok(vec![]) } else { tape.gradient(total, &of) };
        let gradients = gradients.map_err(|error| misfit(line.place, &error))?;
        for (input, gradient) in wrt.iter().zip(&gradients) {
            let name = format!("∂{}/∂{}", line.name, input.name);
            names.entry(gradient.line()).or_default().push(name);
        }
        Ok(Self { tape, inputs, names })
    }

    /// The elements of the inputs, by name.
    pub fn contents(&self) -> BTreeMap<String, Vec<f32>> {
        self.inputs.iter().map(|input| (input.name.clone(), input.elements.clone())).collect()
    }
}

/// Runs a tape without state in f64, on inputs with these `contents`.
///
/// # Errors
/// As [`Tape::interpret`].
pub fn interpret<'t>(tape: &'t Tape, contents: &BTreeMap<String, Vec<f32>>) -> Result<Values<'t>, TapeError> {
    let fed = tape.all(|node| matches!(node.source, Source::Input(_)));
    let elements = |var: &Var<'_>| contents.get(&var.name()).into_iter().flatten().map(|x| f64::from(*x)).collect();
    let feeds: Vec<(_, Vec<f64>)> = fed.iter().map(|var| (*var, elements(var))).collect();
    let slices: Vec<_> = feeds.iter().map(|(var, data)| (*var, data.as_slice())).collect();
    tape.interpret(&slices)
}

/// Fails if a name is given twice.
fn once(lines: &[Line]) -> Result<(), Mistake> {
    for (i, line) in lines.iter().enumerate() {
        if let Some(first) = lines[..i].iter().find(|first| first.name == line.name) {
            let message = format!("`{}` is given on line {} already", line.name, first.place.line);
            return Err(Mistake { place: line.place, message });
        }
    }
    Ok(())
}

/// Whether each line of the tape influences `y`.
fn influences(tape: &Tape, y: Var<'_>) -> Vec<bool> {
    let nodes = tape.nodes();
    let mut found = vec![false; nodes.len()];
    found[y.line()] = true;
    for id in (0..nodes.len()).rev().filter(|&id| id <= y.line()) {
        if found[id] {
            nodes[id].inputs.iter().for_each(|&input| found[input] = true);
        }
    }
    found
}

/// The tape's error at a place of the text, without the place in this program.
fn misfit(place: Place, error: &TapeError) -> Mistake {
    let text = error.to_string();
    let at = match error {
        TapeError::Shape { at, .. } | TapeError::StateShape { at, .. } | TapeError::Empty { at, .. } => {
            format!("{at}: ")
        }
        _ => String::new(),
    };
    Mistake { place, message: text.strip_prefix(&at).unwrap_or(&text).into() }
}

impl<'t> Recorder<'_, 't> {
    /// Records an expression as a line. A number becomes a constant.
    fn line_of(&mut self, expression: &Expression) -> Result<Var<'t>, Mistake> {
        Ok(match self.value(expression)? {
            Value::Line(line) => line,
            Value::Number(value) => self.tape.constant(value, [1]),
        })
    }

    fn value(&mut self, expression: &Expression) -> Result<Value<'t>, Mistake> {
        let place = expression.place;
        let value = match &expression.kind {
            Kind::Number(value) => Value::Number(*value),
            Kind::Name(name) => self.named(name, place)?,
            Kind::Negative(a) => match self.value(a)? {
                Value::Number(value) => Value::Number(-value),
                Value::Line(a) => Value::Line(-a),
            },
            Kind::Binary(operator, ab) => {
                let (a, b) = (self.value(&ab[0])?, self.value(&ab[1])?);
                binary(*operator, a, b)
            }
            Kind::Call(name, arguments) => Value::Line(self.call(name, arguments, place)?),
        };
        self.tape.check().map_err(|error| misfit(place, &error))?;
        Ok(value)
    }

    /// What a name stands for. A name that no line computes is an input.
    fn named(&mut self, name: &str, place: Place) -> Result<Value<'t>, Mistake> {
        if let Some(value) = self.known.get(name) {
            return Ok(*value);
        }
        let (extents, elements) = match self.lines.iter().find(|line| line.name == name) {
            Some(Line { meaning: Meaning::Elements(extents, elements), .. }) => (extents.clone(), elements.clone()),
            Some(line) => {
                let message = format!("`{name}` is computed on line {}, not before", line.place.line);
                return Err(Mistake { place, message });
            }
            None => (vec![1], vec![1.0]),
        };
        let input = self.tape.input(name, extents);
        self.inputs.push(Input { name: name.into(), line: input.line(), elements });
        self.known.insert(name.into(), Value::Line(input));
        Ok(Value::Line(input))
    }

    fn call(&mut self, name: &str, arguments: &[Expression], place: Place) -> Result<Var<'t>, Mistake> {
        let unary = UNARY.iter().find(|(known, _)| *known == name);
        let binary = BINARY.iter().find(|(known, _)| *known == name);
        match (unary, binary, arguments) {
            (Some((_, function)), _, [x]) => Ok(function(self.line_of(x)?)),
            (_, Some((_, function)), [a, b]) => Ok(function(self.line_of(a)?, self.line_of(b)?)),
            (None, None, _) => {
                let message = format!("there is no function `{name}`; there are {}", functions().join(", "));
                Err(Mistake { place, message })
            }
            _ => {
                let (wanted, found) = (if unary.is_some() { 1 } else { 2 }, arguments.len());
                let message = format!("`{name}` is a function of {wanted}, and was given {found}");
                Err(Mistake { place, message })
            }
        }
    }
}

/// Records a operator b. A single number is repeated over the shape of the other operand.
fn binary<'t>(operator: char, a: Value<'t>, b: Value<'t>) -> Value<'t> {
    let (a, b) = match (a, b) {
        (Value::Number(a), Value::Number(b)) => return Value::Number(folded(operator, a, b)),
        (Value::Line(a), Value::Number(b)) => {
            return Value::Line(match operator {
                '+' => a + b,
                '-' => a - b,
                '*' => a * b,
                _ => a / b,
            });
        }
        (Value::Number(a), Value::Line(b)) => {
            return Value::Line(match operator {
                '+' => b + a,
                '-' => a - b,
                '*' => a * b,
                _ => a / b,
            });
        }
        (Value::Line(a), Value::Line(b)) => (over(a, b.shape()), over(b, a.shape())),
    };
    Value::Line(match operator {
        '+' => a + b,
        '-' => a - b,
        '*' => a * b,
        _ => a / b,
    })
}

/// A single number, repeated over `shape`. Anything else stays as it is.
fn over(x: Var<'_>, shape: Shape) -> Var<'_> {
    match x.shape().elements() == 1 && x.shape() != shape && shape.elements() != 0 {
        true => x.broadcast(shape),
        false => x,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(typed: &Typed, name: &str) -> usize {
        let found = typed.names.iter().find(|(_, names)| names.iter().any(|known| known == name));
        *found.unwrap_or_else(|| panic!("{name} is not among {:?}", typed.names)).0
    }

    fn value(typed: &Typed, name: &str) -> Vec<f64> {
        interpret(&typed.tape, &typed.contents()).unwrap().get(typed.tape.all(|_| true)[named(typed, name)]).to_vec()
    }

    fn mistake(text: &str) -> String {
        Typed::new(text).err().unwrap().to_string()
    }

    /// Compares the gradient of the last formula with central differences.
    fn differentiates(text: &str) {
        let typed = Typed::new(text).unwrap();
        let y =
            &parse(text).unwrap().into_iter().rfind(|line| matches!(line.meaning, Meaning::Formula(_))).unwrap().name;
        assert!(!typed.inputs.is_empty());
        for i in 0..typed.inputs.len() {
            let gradient = value(&typed, &format!("∂{y}/∂{}", typed.inputs[i].name));
            for (element, gradient) in gradient.iter().enumerate() {
                let h = 1.0 / 1024.0;
                let moved = |by: f32| {
                    let mut moved = Typed::new(text).unwrap();
                    moved.inputs[i].elements[element] += by;
                    value(&moved, y).iter().sum::<f64>()
                };
                let difference = (moved(h) - moved(-h)) / (2.0 * f64::from(h));
                let close = (difference - gradient).abs() < 1e-4 * (1.0 + gradient.abs());
                assert!(close, "{text}, {}[{element}]: {gradient}, {difference}", typed.inputs[i].name);
            }
        }
    }

    #[test]
    fn a_formula_is_recorded_with_its_gradient() {
        let typed = Typed::new("a = 0.5\nx = 2\nb = -0.25\ny = tanh(a * x + b)").unwrap();
        let y = 0.75f64.tanh();
        assert!((value(&typed, "y")[0] - y).abs() < 1e-12);
        assert!((value(&typed, "∂y/∂a")[0] - 2.0 * (1.0 - y * y)).abs() < 1e-12);
        assert!((value(&typed, "∂y/∂x")[0] - 0.5 * (1.0 - y * y)).abs() < 1e-12);
        let nodes = typed.tape.nodes();
        assert!(!nodes[named(&typed, "y")].backward && nodes[named(&typed, "∂y/∂b")].backward);
    }

    #[test]
    fn gradients_are_those_of_central_differences() {
        differentiates("y = tanh(a * x + b)");
        differentiates("x = [0.3, -0.8, 1.2]\ns = 2 * x - 1\ny = sigmoid(s) / (a + x * x)");
        differentiates("w = [[0.5, -1], [0.25, 2]]\nx = [[1], [2]]\nh = relu(matmul(w, x) - 0.1)\nloss = mean(h * h)");
        differentiates("a = [0.1, 0.9]\nb = [0.5, 0.4]\ny = mse(a, b) + 3 * l1(b, a) - exp(-sum(a)) + softplus(b)");
        differentiates("x = [[1, 2], [3, 4]]\ny = 1 / sum_per_sample(x) + 2 - mean_per_sample(-x)");
    }

    #[test]
    fn names_are_inputs_unless_a_line_computes_them() {
        let typed = Typed::new("y = a * x\nx = [1, 2, 3]\nunused = 7").unwrap();
        let inputs: Vec<_> =
            typed.inputs.iter().map(|input| (input.name.as_str(), input.elements.as_slice())).collect();
        assert_eq!(inputs, [("a", &[1.0][..]), ("x", &[1.0, 2.0, 3.0])]);
        assert_eq!(value(&typed, "∂y/∂a"), [6.0]);
        // Only what influences y has a gradient.
        let typed = Typed::new("u = a * a\ny = b * b").unwrap();
        assert!(typed.names.values().flatten().all(|name| name != "∂y/∂a"));
        assert_eq!(value(&typed, "∂y/∂b"), [2.0]);
        assert_eq!(value(&Typed::new("y = tanh(0)").unwrap(), "y"), [0.0]);
    }

    #[test]
    fn mistakes_say_where() {
        assert!(mistake("").starts_with("line 1, column 1: expected a formula"));
        assert!(mistake("x = 1").starts_with("line 1, column 1: expected a formula"));
        assert_eq!(mistake("a = 1\na = 2"), "line 2, column 1: `a` is given on line 1 already");
        assert_eq!(mistake("y = y + 1"), "line 1, column 5: `y` is computed on line 1, not before");
        assert_eq!(mistake("y = u\nu = 2 * x"), "line 1, column 5: `u` is computed on line 2, not before");
        let unknown = mistake("y = 2 * sin(x)");
        assert!(unknown.starts_with("line 1, column 9: there is no function `sin`; there are exp, "), "{unknown}");
        assert_eq!(mistake("y = matmul(a)"), "line 1, column 5: `matmul` is a function of 2, and was given 1");
        assert_eq!(mistake("y = tanh(a, b)"), "line 1, column 5: `tanh` is a function of 1, and was given 2");
    }

    #[test]
    fn a_misfit_is_the_error_of_the_tape() {
        let text = mistake("a = [1, 2]\nb = [1, 2, 3]\ny = 2 * (a * b)");
        assert!(text.starts_with("line 3, column 12: multiply of [2] and [3]: both operands"), "{text}");
        let text = mistake("y = matmul(a, b)");
        assert!(text.starts_with("line 1, column 5: matmul of [1] and [1]: "), "{text}");
    }
}
