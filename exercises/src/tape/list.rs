//! The puzzles in their order.

use super::{Author, Puzzle, applications, learner, lines, solution, tensors};
use crate::puzzle::Text;

/// A puzzle whose files are called `$file`. `$check` takes the functions `$function` of the module `$name`.
macro_rules! puzzle {
    (
        $number:literal, $name:ident, $file:literal, $title:literal, $leads_to:literal,
        $check:path, [$($function:ident),+], $hints:expr $(,)?
    ) => {
        Puzzle {
            text: Text { number: $number, name: stringify!($name), title: $title, hints: $hints },
            file: concat!("exercises/tape/", $file),
            solution_file: concat!("exercises/solutions/tape/", $file),
            leads_to: $leads_to,
            check: |author| match author {
                Author::Learner => $check($(learner::$name::$function),+),
                Author::Solution => $check($(solution::$name::$function),+),
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
        "the gradient rule of one operation",
        "src/ops/arithmetic.rs",
        tensors::square,
        [square, square_on_tape],
        [
            "Move x by a small h. By how much does y move, and by how much L, if g is what L moves by for each unit of y?",
            "The chain rule: ∂L/∂x = ∂L/∂y·∂y/∂x. The first factor is g, the second the derivative of x².",
            "g * 2.0 * x, for numbers and for variables: `Var` has the operators of numbers, also with an f32 at one side.",
        ],
    ),
    puzzle!(
        16,
        chain,
        "16_chain.rs",
        "the reverse walk over a list",
        "src/tape/walk.rs",
        lines::chain,
        [chain],
        [
            "The derivative of the last line with respect to itself is 1. Which gradients follow from that one?",
            "Walk from the last line to the first. The gradient g of line i is known by then: each line that it reads gets g times the derivative of line i with respect to that line. It is puzzle 15 for each line.",
            "gradients[last] = 1.0; then for i in (0..lines.len()).rev(), match lines[i]: Sine(a) sets gradients[a] to g·cos(values[a]), Tanh(a) to g·(1 − values[i]²), Add(a, b) sets both to g, Multiply(a, b) sets gradients[a] to g·values[b] and gradients[b] to g·values[a].",
        ],
    ),
    puzzle!(
        17,
        fan_out,
        "17_fan_out.rs",
        "values that are used several times",
        "src/tape/sum.rs",
        lines::fan_out,
        [fan_out],
        [
            "Which list fails? Find the line of it that is read twice, and follow what happens to its gradient.",
            "Move a value that is used twice. The last line moves by both ways, so the derivative is the sum of one part for each use.",
            "Each use adds its part to the gradient: += in place of =. All lines that read a line come after it, so its sum is complete when the walk arrives there.",
        ],
    ),
    puzzle!(
        18,
        broadcast,
        "18_broadcast.rs",
        "the gradient of a broadcast",
        "src/ops/broadcast.rs",
        tensors::broadcast,
        [broadcast],
        [
            "How many elements of y does b[c] change? Puzzle 17 says what becomes of a value with that many uses.",
            "∂L/∂b[c] = Σ g[n, c, p] over n and p; ∂L/∂s[c] is the sum of g·x over the same elements. For ∂L/∂x, s must be repeated as in y.",
            "[g * s.broadcast_channels(x.shape()), (g * x).sum_channels(), g.sum_channels()]",
        ],
    ),
    puzzle!(
        19,
        matmul,
        "19_matmul.rs",
        "the gradients of a matrix product",
        "src/ops/matmul.rs",
        tensors::matmul,
        [matmul],
        [
            "The shapes leave little choice: ∂L/∂A is [M, K], made of g [M, N] and of B [K, N].",
            "A[m, k] is multiplied by B[k, n] in C[m, n], for each n. So ∂L/∂A[m, k] = Σₙ g[m, n]·B[k, n]; and ∂L/∂B[k, n] = Σₘ A[m, k]·g[m, n].",
            "∂L/∂A = g·Bᵀ and ∂L/∂B = Aᵀ·g.",
        ],
    ),
    puzzle!(
        20,
        cross_entropy,
        "20_cross_entropy.rs",
        "softmax and cross-entropy together",
        "src/ops/cross_entropy.rs",
        tensors::cross_entropy,
        [cross_entropy],
        [
            "ln p[n, k] = x[n, k] − ln Σⱼ exp x[n, j]. Write y for one sample with it, and use that its targets sum to 1.",
            "For one sample y = ln Σⱼ exp xⱼ − Σₖ tₖ·xₖ. The derivative of the first term with respect to xₖ is pₖ.",
            "∂L/∂x = (p − t)·g/N, with p = x.exp() / x.exp().sum_per_sample().broadcast(x.shape()), and with g broadcast over x.shape() too.",
        ],
    ),
    puzzle!(
        21,
        batch_norm,
        "21_batch_norm.rs",
        "the gradients of batch norm",
        "src/ops/batch_norm/mod.rs",
        tensors::batch_norm,
        [batch_norm],
        [
            "All three would be right for a trained network, whose mean and variance are those of its training. What is different here?",
            "x̂ depends on x directly, through μ, and through σ². Adding a constant to a channel, or (but for ε) scaling it, leaves x̂ as it is. So ∂L/∂x loses the parts of g that go along with 1 and along with x̂.",
            "∂L/∂x = γ/√(σ² + ε)·(g − (∂L/∂β + x̂·∂L/∂γ)/n), where ∂L/∂β and ∂L/∂γ are repeated over the channel.",
        ],
    ),
    puzzle!(
        22,
        frozen,
        "22_frozen.rs",
        "a gradient through f, not into f",
        "src/method/objective.rs",
        applications::frozen,
        [frozen],
        [
            "One list of parameters enters L by two applications. Which variable lies between them, so that all that the inner one does passes it?",
            "Two walks: from the loss to y, which reaches no parameters if it stops at y; and from y on to the parameters.",
            "let g = tape.gradient(loss, &[y])?[0]; then tape.vjp(y, g, parameters).",
        ],
    ),
    puzzle!(
        23,
        three_losses,
        "23_three_losses.rs",
        "which loss changes which application",
        "src/method/objective.rs",
        applications::three_losses,
        [three_losses],
        [
            "Reconstruction is right, and idempotence is puzzle 22. For tightness, y must count as a constant.",
            "A walk stops at each variable of its list. With y in the list beside the parameters, gradient() reaches the outer application alone, and returns what arrives at y as well.",
            "let mut tightness = tape.gradient(-w.mse(y), &[parameters, &[y]].concat())?; its last element is minus the gradient that arrives at y: remove it, and go on from y with vjp() for idempotence.",
        ],
    ),
];
