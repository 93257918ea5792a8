//! Puzzles of several applications of one network: which gradient reaches which.

use super::differences::{differences, numbers, table};
use ign::tape::{Result, Tape, TapeError, Var};

/// The functions of the learner's.
pub type Frozen = for<'t> fn(Var<'t>, Var<'t>, &[Var<'t>]) -> Result<Vec<Var<'t>>>;
pub type ThreeLosses = for<'t> fn(&Applications<'t>) -> Result<[Vec<Var<'t>>; 3]>;

/// f applied to images x and noise z, and to what it makes of the noise.
pub struct Applications<'t> {
    /// The tape of all of them.
    pub tape: &'t Tape,
    /// Images.
    pub x: Var<'t>,
    /// f(x).
    pub fx: Var<'t>,
    /// y = f(z).
    pub y: Var<'t>,
    /// w = f(y).
    pub w: Var<'t>,
    /// The parameters of f.
    pub parameters: Vec<Var<'t>>,
}

/// Name and extents of each parameter of the little network f(v) = tanh(v·w1ᵀ + b1)·w2ᵀ + b2.
const PARAMETERS: [(&str, &[usize]); 4] = [("w1", &[3, 2]), ("b1", &[3]), ("w2", &[2, 3]), ("b2", &[2])];
const BATCH: usize = 3;

/// Which applications of f a gradient is that of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// That to x.
    Images,
    /// The inner one, which makes y.
    Inner,
    /// The outer one, which judges y.
    Outer,
}

const PARTS: [Part; 3] = [Part::Images, Part::Inner, Part::Outer];

fn apply<'t>(v: Var<'t>, p: &[Var<'t>]) -> Var<'t> {
    v.linear(p[0], Some(p[1])).tanh().linear(p[2], Some(p[3]))
}

fn parameters<'t>(tape: &'t Tape, prefix: &str) -> Vec<Var<'t>> {
    let mut parameters = vec![];
    for (name, dims) in PARAMETERS {
        parameters.push(tape.state(&format!("{prefix}{name}"), dims));
    }
    parameters
}

/// The elements of x, z and each parameter.
fn feeds() -> (Vec<f64>, Vec<f64>, Vec<Vec<f64>>) {
    let of = |(i, (_, dims)): (usize, &(&str, &[usize]))| numbers(dims.iter().product(), i + 3);
    (numbers(2 * BATCH, 1), numbers(2 * BATCH, 2), PARAMETERS.iter().enumerate().map(of).collect())
}

fn recorded(tape: &Tape) -> (Applications<'_>, Var<'_>) {
    let [x, z] = ["x", "z"].map(|name| tape.input(name, [BATCH, 2]));
    let parameters = parameters(tape, "");
    let y = apply(z, &parameters);
    (Applications { tape, x, fx: apply(x, &parameters), y, w: apply(y, &parameters), parameters }, z)
}

/// The value of D(f(x), x) or D(w, y), with parameters of their own for each application: those that `of` names are `moved`.
fn value(images: bool, of: Part, parameter: usize, moved: &[f64]) -> Result<f64> {
    let tape = Tape::new();
    let [x, z] = ["x", "z"].map(|name| tape.input(name, [BATCH, 2]));
    let own = PARTS.map(|part| parameters(&tape, &format!("{part:?}.")));
    let y = apply(z, &own[1]);
    let loss = if images { apply(x, &own[0]).mse(x) } else { apply(y, &own[2]).mse(y) };
    let (of_x, of_z, numbers) = feeds();
    let mut all = vec![(x, &of_x[..]), (z, &of_z[..])];
    for (part, own) in PARTS.iter().zip(&own) {
        for (i, (v, data)) in own.iter().zip(&numbers).enumerate() {
            all.push((*v, if *part == of && i == parameter { moved } else { data }));
        }
    }
    Ok(tape.interpret(&all)?.get(loss)[0])
}

/// The gradients of a loss with respect to the parameters of one application, by central differences.
fn expected(images: bool, of: Part) -> Result<Vec<Vec<f64>>> {
    let (_, _, numbers) = feeds();
    numbers.iter().enumerate().map(|(i, at)| differences(at, |moved| value(images, of, i, moved))).collect()
}

/// A loss: its name, whether it is that of images, its sign, and the application that it reaches.
struct Loss {
    name: &'static str,
    images: bool,
    sign: f64,
    reaches: Part,
}

const REC: Loss = Loss { name: "rec", images: true, sign: 1.0, reaches: Part::Images };
const IDEM: Loss = Loss { name: "idem", images: false, sign: 1.0, reaches: Part::Inner };
const TIGHT: Loss = Loss { name: "tight", images: false, sign: -1.0, reaches: Part::Outer };

/// Compares the gradients of a loss with what they must be. Returns the number of elements.
///
/// # Errors
/// The first wrong gradient, with the application that it has reached if that explains it.
fn compare<'t>(
    of: &Applications<'t>,
    z: Var<'t>,
    loss: &Loss,
    found: &[Var<'t>],
) -> std::result::Result<usize, String> {
    let text = |error: TapeError| error.to_string();
    of.tape.check().map_err(text)?;
    let Loss { name, images, sign, reaches } = *loss;
    if found.len() != PARAMETERS.len() {
        return Err(format!("{} gradients of {name} for {} parameters", found.len(), PARAMETERS.len()));
    }
    let (of_x, of_z, numbers) = feeds();
    let own = of.parameters.iter().zip(&numbers).map(|(v, data)| (*v, &data[..]));
    let feeds: Vec<_> = [(of.x, &of_x[..]), (z, &of_z[..])].into_iter().chain(own).collect();
    let values = of.tape.interpret(&feeds).map_err(text)?;
    let scaled = |part: Part| -> std::result::Result<Vec<Vec<f64>>, String> {
        let gradients = expected(images, part).map_err(text)?;
        Ok(gradients.iter().map(|g| g.iter().map(|g| sign * g).collect()).collect())
    };
    let right = scaled(reaches)?;
    let mut elements = 0;
    for (i, ((parameter, dims), gradient)) in PARAMETERS.iter().zip(found).enumerate() {
        if gradient.shape().dims() != *dims {
            return Err(format!("the gradient of {parameter} has shape {}, expected {dims:?}", gradient.shape()));
        }
        let yours = values.get(*gradient);
        let wrong = table(parameter, dims, yours, &right[i]);
        if let Err(wrong) = wrong {
            let same = |other: &[f64]| table(parameter, dims, yours, other).is_ok();
            let reason = match images {
                true => "",
                false => {
                    let other = scaled(if reaches == Part::Inner { Part::Outer } else { Part::Inner })?;
                    let both: Vec<_> = right[i].iter().zip(&other[i]).map(|(a, b)| a + b).collect();
                    match reaches {
                        Part::Inner if same(&both) => "It reaches the outer f too, whose parameters are frozen.\n",
                        Part::Inner if same(&other[i]) => {
                            "It is that of the outer f, and should be that of the inner.\n"
                        }
                        _ if same(&both) => "It reaches the inner f too, whose result y is a constant here.\n",
                        _ if same(&other[i]) => "It is that of the inner f, and should be that of the outer.\n",
                        _ => "",
                    }
                }
            };
            return Err(format!("{name}: {wrong}{}{reason}", if reason.is_empty() { "" } else { "\n" }));
        }
        elements += yours.len();
    }
    Ok(elements)
}

pub fn frozen(yours: Frozen) -> std::result::Result<String, String> {
    let tape = Tape::new();
    let (of, z) = recorded(&tape);
    let found = yours(of.y, of.w.mse(of.y), &of.parameters).map_err(|error| error.to_string())?;
    let elements = compare(&of, z, &IDEM, &found)?;
    Ok(format!("{elements} elements agree with central differences of the inner f alone"))
}

pub fn three_losses(yours: ThreeLosses) -> std::result::Result<String, String> {
    let tape = Tape::new();
    let (of, z) = recorded(&tape);
    let found = yours(&of).map_err(|error| error.to_string())?;
    let mut elements = 0;
    for (loss, found) in [REC, IDEM, TIGHT].iter().zip(&found) {
        elements += compare(&of, z, loss, found)?;
    }
    Ok(format!("3 losses, {elements} elements: each reaches the application that it should, and no other"))
}
