use crate::tape::transpose;
use ign::tape::Var;

pub fn matmul<'t>(a: Var<'t>, b: Var<'t>, g: Var<'t>) -> [Var<'t>; 2] {
    [g.matmul(transpose(b)), transpose(a).matmul(g)]
}
