// Puzzle 19: a matrix product.
//
// C = A·B. g = ∂L/∂C is known. Return ∂L/∂A and ∂L/∂B. The shapes leave little choice; an index calculation leaves none:
// C[i, j] = Σₖ A[i, k]·B[k, j].
//
// A   [M, K]     B   [K, N]     g   [M, N]
//
// `transpose(x)` is the transposed matrix, and `x.matmul(y)` a product.
//
// In the engine: src/ops/matmul.rs, where the transposes are free: the kernel reads its operands by strides.

use crate::tape::transpose;
use ign::tape::Var;

pub fn matmul<'t>(a: Var<'t>, b: Var<'t>, g: Var<'t>) -> [Var<'t>; 2] {
    // Their shapes are right.
    let _ = (g, transpose(a));
    [a, b]
}
