//! Puzzles of several applications of one network: which gradient reaches which.

use super::differences::{agree, compare, differences, numbers};
use ign::tape::{Result, Tape, TapeError, Var};

/// The learner's function of puzzle 22: the gradients of f's parameters from y, the loss and the parameters.
pub type Frozen = for<'t> fn(Var<'t>, Var<'t>, &[Var<'t>]) -> Result<Vec<Var<'t>>>;
/// The learner's function of puzzle 23: the gradients of the three losses from [x, f(x)], [y, w] and the parameters.
pub type ThreeLosses = for<'t> fn([Var<'t>; 2], [Var<'t>; 2], &[Var<'t>]) -> Result<[Vec<Var<'t>>; 3]>;

/// A small network f(v) = tanh(v·A + b)·C, for v `[batch, width]`, A `[width, hidden]`, b `[hidden]`, C `[hidden, width]`.
#[derive(Clone, Copy)]
struct Network {
    batch: usize,
    width: usize,
    hidden: usize,
}

const NETWORKS: [Network; 3] = [
    Network { batch: 1, width: 1, hidden: 1 },
    Network { batch: 3, width: 2, hidden: 3 },
    Network { batch: 2, width: 4, hidden: 2 },
];

/// The applications of f on one tape.
struct Applications<'t> {
    x: Var<'t>,
    z: Var<'t>,
    fx: Var<'t>,
    y: Var<'t>,
    w: Var<'t>,
    parameters: Vec<Var<'t>>,
}

/// A loss: D(f(x), x) if it is of `images`, and D(f(y), y) with y = f(z) if not.
struct Loss {
    name: &'static str,
    images: bool,
    /// How often each application must get its part of the gradient.
    shares: &'static [f64],
}

const RECONSTRUCTION: Loss = Loss { name: "reconstruction", images: true, shares: &[1.0] };
const FROZEN: Loss = Loss { name: "the loss", images: false, shares: &[1.0, 0.0] };
const IDEMPOTENCE: Loss = Loss { name: "idempotence", images: false, shares: &[1.0, 0.0] };
const TIGHTNESS: Loss = Loss { name: "tightness", images: false, shares: &[0.0, -1.0] };

/// Puzzle 22: the gradient of D(f(y), y) with respect to the inner application, y = f(z), alone.
///
/// # Errors
/// An error of the tape; weights that the gradient reaches wrongly; the first wrong gradient.
pub fn frozen(yours: Frozen) -> std::result::Result<String, String> {
    let mut elements = 0;
    for network in NETWORKS {
        let tape = Tape::new();
        let all = network.record(&tape);
        let found = yours(all.y, all.w.mse(all.y), &all.parameters).map_err(|error| error.to_string())?;
        elements += network.check(&all, &[FROZEN], &[found])?;
    }
    Ok(format!("passed: {} networks, {elements} elements: the outer application stays as it is", NETWORKS.len()))
}

/// Puzzle 23: the gradients of reconstruction, idempotence and tightness.
///
/// # Errors
/// An error of the tape; weights that a loss reaches wrongly; the first wrong gradient.
pub fn three_losses(yours: ThreeLosses) -> std::result::Result<String, String> {
    let mut elements = 0;
    for network in NETWORKS {
        let tape = Tape::new();
        let all = network.record(&tape);
        let found = yours([all.x, all.fx], [all.y, all.w], &all.parameters).map_err(|error| error.to_string())?;
        elements += network.check(&all, &[RECONSTRUCTION, IDEMPOTENCE, TIGHTNESS], &found)?;
    }
    Ok(format!("passed: {} networks, {elements} elements: each loss reaches its application alone", NETWORKS.len()))
}

impl Network {
    /// Names and extents of the parameters.
    fn parameters(self) -> [(&'static str, Vec<usize>); 3] {
        let Self { width, hidden, .. } = self;
        [("A", vec![width, hidden]), ("b", vec![hidden]), ("C", vec![hidden, width])]
    }

    fn apply<'t>(self, v: Var<'t>, parameters: &[Var<'t>]) -> Var<'t> {
        let bias = parameters[1].broadcast_channels([self.batch, self.hidden]);
        (v.matmul(parameters[0]) + bias).tanh().matmul(parameters[2])
    }

    /// Parameters on a tape.
    fn on<'t>(self, tape: &'t Tape, application: &str) -> Vec<Var<'t>> {
        self.parameters().into_iter().map(|(name, dims)| tape.state(&format!("{application}{name}"), dims)).collect()
    }

    fn record(self, tape: &Tape) -> Applications<'_> {
        let [x, z] = ["x", "z"].map(|name| tape.input(name, [self.batch, self.width]));
        let parameters = self.on(tape, "");
        let y = self.apply(z, &parameters);
        Applications { x, z, fx: self.apply(x, &parameters), y, w: self.apply(y, &parameters), parameters }
    }

    /// The elements of x and z.
    fn images(self) -> [Vec<f64>; 2] {
        [1, 2].map(|seed| numbers(self.batch * self.width, seed))
    }

    /// The elements of all parameters, one after the other.
    fn weights(self) -> Vec<f64> {
        numbers(self.parameters().iter().map(|(_, dims)| dims.iter().product::<usize>()).sum(), 3)
    }

    /// Each parameter with its part of the elements of all.
    fn fed<'t, 'a>(parameters: &[Var<'t>], mut all: &'a [f64]) -> Vec<(Var<'t>, &'a [f64])> {
        let mut fed = vec![];
        for v in parameters {
            let (own, rest) = all.split_at(v.shape().elements());
            fed.push((*v, own));
            all = rest;
        }
        fed
    }

    /// D(f(x), x), or D(f(f(z)), f(z)), where each application has weights of its own: a copy of f, so that one can change
    /// while the other does not.
    fn distance(self, images: bool, inner: &[f64], outer: &[f64]) -> Result<f64> {
        let tape = Tape::new();
        let v = tape.input("v", [self.batch, self.width]);
        let [first, second] = ["inner.", "outer."].map(|application| self.on(&tape, application));
        let y = self.apply(v, &first);
        let loss = if images { y.mse(v) } else { self.apply(y, &second).mse(y) };
        let [x, z] = &self.images();
        let fed = [vec![(v, &(if images { x } else { z })[..])], Self::fed(&first, inner), Self::fed(&second, outer)];
        Ok(tape.interpret(&fed.concat())?.get(loss)[0])
    }

    /// The gradient of the distance with respect to the weights of each application, by central differences.
    fn gradients(self, images: bool) -> Result<Vec<Vec<f64>>> {
        let at = self.weights();
        let inner = differences(&at, |moved| self.distance(images, moved, &at))?;
        if images {
            return Ok(vec![inner]);
        }
        Ok(vec![inner, differences(&at, |moved| self.distance(images, &at, moved))?])
    }

    /// Compares the gradients of losses with what they must be. Returns the number of elements.
    fn check<'t>(
        self,
        of: &Applications<'t>,
        losses: &[Loss],
        found: &[Vec<Var<'t>>],
    ) -> std::result::Result<usize, String> {
        let (mut elements, mut wrong) = (0, vec![]);
        for (loss, found) in losses.iter().zip(found) {
            match self.check_loss(of, loss, found) {
                Ok(right) => elements += right,
                Err(text) => wrong.push(text),
            }
        }
        if wrong.is_empty() {
            return Ok(elements);
        }
        let shapes = [&[of.y][..], &of.parameters].concat().into_iter().zip(["y", "A", "b", "C"]);
        let shapes: Vec<_> = shapes.map(|(v, name)| format!("{name} {}", v.shape())).collect();
        Err(format!("{}\n  shape     {}", wrong.join("\n"), shapes.join(", ")))
    }

    fn check_loss<'t>(
        self,
        of: &Applications<'t>,
        loss: &Loss,
        found: &[Var<'t>],
    ) -> std::result::Result<usize, String> {
        let (tape, text) = (of.x.tape(), |error: TapeError| error.to_string());
        tape.check().map_err(text)?;
        let shapes = |vars: &[Var<'t>]| vars.iter().map(|v| v.shape()).collect::<Vec<_>>();
        let [yours, expected] = [found, &of.parameters].map(shapes);
        if yours != expected {
            return Err(format!("the gradients of {} have the shapes {yours:?}, expected {expected:?}", loss.name));
        }
        let ([x, z], weights) = (self.images(), self.weights());
        let feeds = [vec![(of.x, &x[..]), (of.z, &z[..])], Self::fed(&of.parameters, &weights)].concat();
        let values = tape.interpret(&feeds).map_err(text)?;
        let yours: Vec<f64> = found.iter().flat_map(|v| values.get(*v)).copied().collect();

        let gradients = self.gradients(loss.images).map_err(text)?;
        let expected = combined(&gradients, loss.shares);
        let [own, right] = [&yours, &expected].map(|all| Self::fed(&of.parameters, all));
        for ((parameter, own), (_, right)) in own.into_iter().zip(right) {
            let (name, shape) = (parameter.name(), parameter.shape());
            compare(&format!("∂L/∂{name}"), &name, shape.dims(), own, right)
                .map_err(|wrong| loss.explain(&gradients, &yours) + &wrong)?;
        }
        Ok(yours.len())
    }
}

impl Loss {
    /// Says which applications a gradient reaches that it must not reach, or the reverse.
    fn explain(&self, gradients: &[Vec<f64>], yours: &[f64]) -> String {
        let name = self.name;
        let applications = match self.images {
            true => &["f(x)"][..],
            false => &["the inner application, f(z)", "the outer application, f(y)"],
        };
        let signs = [-1.0, 0.0, 1.0];
        let mut pairs = signs.iter().flat_map(|inner| signs.map(|outer| [*inner, outer]));
        let Some(shares) = pairs.find(|shares| agree(yours, &combined(gradients, shares))) else {
            return format!("{name}: ");
        };
        let mut text = String::new();
        for ((application, found), expected) in applications.iter().zip(shares).zip(self.shares) {
            text += &match (found, *expected) {
                (found, expected) if found == expected => continue,
                (_, 0.0) => format!("the gradient of {name} reaches the weights of {application}, and must not\n"),
                (0.0, _) => format!("the gradient of {name} does not reach the weights of {application}\n"),
                _ => format!("the gradient of {name} reaches the weights of {application} with the wrong sign\n"),
            };
        }
        text
    }
}

/// The sum of gradients, each times its share.
fn combined(gradients: &[Vec<f64>], shares: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; gradients[0].len()];
    for (gradient, share) in gradients.iter().zip(shares) {
        sum.iter_mut().zip(gradient).for_each(|(sum, element)| *sum += share * element);
    }
    sum
}
