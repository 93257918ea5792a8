//! The puzzles in their order.

use super::lines::{CHAINS, FANS};
use super::{Author, Puzzle, applications, learner, lines, solution, tensors};
use crate::puzzle::Text;

/// A puzzle whose function is `$name`, in files called `$file`, and is checked by `$check`.
macro_rules! puzzle {
    ($number:literal, $name:ident, $file:literal, $title:literal, $leads_to:literal, $check:expr, $hints:expr $(,)?) => {
        Puzzle {
            text: Text { number: $number, name: stringify!($name), title: $title, hints: $hints },
            file: concat!("exercises/tape/", $file),
            solution_file: concat!("exercises/solutions/tape/", $file),
            leads_to: $leads_to,
            check: |author| match author {
                Author::Learner => $check(learner::$name::$name),
                Author::Solution => $check(solution::$name::$name),
            },
        }
    };
}

/// All puzzles of the track. Their numbers go on from the kernel track.
pub static PUZZLES: [Puzzle; 9] = [
    puzzle!(
        15,
        square,
        "15_square.rs",
        "the vector-Jacobian product of y = x²",
        "src/ops/arithmetic.rs",
        tensors::square,
        [
            "∂L/∂x = ∂L/∂y·∂y/∂x, element by element.",
            "The derivative of x² is 2x. `2.0 * x` is a line on the tape.",
            "2.0 * (g * x)",
        ],
    ),
    puzzle!(
        16,
        chain,
        "16_chain.rs",
        "the reverse walk along a chain",
        "src/tape/walk.rs",
        (|walk| lines::check(walk, &CHAINS)),
        [
            "Go through the lines from the last to the first: `for i in (0..lines.len()).rev()`.",
            "`match lines[i]`: a line that reads line j sets gradients[j] from gradients[i] and its own derivative.",
            "Line::Sine(j) => gradients[j] = gradients[i] * values[j].cos(), and for Exp the derivative is values[i] itself.",
        ],
    ),
    puzzle!(
        17,
        fan_out,
        "17_fan_out.rs",
        "a line that is read more than once",
        "src/tape/walk.rs",
        (|walk| lines::check(walk, &FANS)),
        [
            "Which list fails first? Which line is read twice in it?",
            "A value that is used twice reaches the end by two ways. Its derivative is the sum over both.",
            "Each use adds its part: += instead of =.",
        ],
    ),
    puzzle!(
        18,
        broadcast,
        "18_broadcast.rs",
        "the adjoint of a repetition",
        "src/ops/broadcast.rs",
        tensors::broadcast,
        [
            "Write L as a function of one element b[c]. In how many samples does it occur?",
            "∂L/∂b[c] = Σₙ g[n, c].",
            "g.sum_channels()",
        ],
    ),
    puzzle!(
        19,
        matmul,
        "19_matmul.rs",
        "the two adjoints of a matrix product",
        "src/ops/matmul.rs",
        tensors::matmul,
        [
            "∂L/∂A has the shape [M, K], and g is [M, N]. Which product with B gives that?",
            "∂L/∂A[i, k] = Σⱼ g[i, j]·B[k, j], and likewise ∂L/∂B[k, j] = Σᵢ A[i, k]·g[i, j].",
            "[g.matmul(transpose(b)), transpose(a).matmul(g)]",
        ],
    ),
    puzzle!(
        20,
        cross_entropy,
        "20_cross_entropy.rs",
        "softmax and cross-entropy together",
        "src/ops/cross_entropy.rs",
        tensors::cross_entropy,
        [
            "ln p[n, k] = x[n, k] − ln Σⱼ exp(x[n, j]).",
            "The derivative of ln Σⱼ exp(x[n, j]) with respect to x[n, k] is p[n, k]. The targets of a sample sum to 1.",
            "∂L/∂x = (p − t)/N.",
        ],
    ),
    puzzle!(
        21,
        batch_norm,
        "21_batch_norm.rs",
        "the gradient through mean and deviation",
        "src/ops/batch_norm/normalise.rs",
        tensors::batch_norm,
        [
            "x̂ has mean 0 and, up to ε, deviation 1 whatever x is. So the part of g along 1 and the part along x̂ cannot change it.",
            "Take from g its mean over the channel, and x̂ times the mean of g·x̂. Both sums are there: d_beta and d_gamma.",
            "∂L/∂x = γ/s·(g − d_beta/M − x̂·d_gamma/M), with M = N·P elements per channel.",
        ],
    ),
    puzzle!(
        22,
        frozen,
        "22_frozen.rs",
        "a gradient through f that does not reach f",
        "src/method/objective.rs",
        applications::frozen,
        [
            "The loss depends on the parameters in two ways: by y, and by the outer f. Only the first counts.",
            "`gradient(loss, &[y])` gives what arrives at y, both by the outer f and directly.",
            "let g = y.tape().gradient(loss, &[y])?[0]; then vjp(y, g, parameters).",
        ],
    ),
    puzzle!(
        23,
        three_losses,
        "23_three_losses.rs",
        "which loss reaches which application",
        "src/method/objective.rs",
        applications::three_losses,
        [
            "rec is right. For idem, see puzzle 22.",
            "For tight, y must be a constant: the walk stops at every variable of its list, so put y in the list.",
            "One walk: tape.gradient(−D, parameters and y). Its last result is minus what arrives at y for idem.",
        ],
    ),
];
