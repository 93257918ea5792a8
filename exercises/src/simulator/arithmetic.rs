//! Arithmetic on single numbers, which are kept as their 32 bits.

use naga::{BinaryOperator, MathFunction, ScalarKind, UnaryOperator};

fn float(bits: u32) -> f32 {
    f32::from_bits(bits)
}

fn signed(bits: u32) -> i32 {
    bits as i32
}

/// `op` of a number of this kind.
pub fn unary(op: UnaryOperator, kind: ScalarKind, x: u32) -> Option<u32> {
    Some(match (op, kind) {
        (UnaryOperator::Negate, ScalarKind::Float) => (-float(x)).to_bits(),
        (UnaryOperator::Negate, ScalarKind::Sint) => x.wrapping_neg(),
        (UnaryOperator::LogicalNot, ScalarKind::Bool) => u32::from(x == 0),
        (UnaryOperator::BitwiseNot, ScalarKind::Sint | ScalarKind::Uint) => !x,
        _ => return None,
    })
}

/// `a op b` of numbers of this kind. Division of integers by zero gives `a`, and its remainder 0, as in WGSL.
pub fn binary(op: BinaryOperator, kind: ScalarKind, a: u32, b: u32) -> Option<u32> {
    use BinaryOperator as Op;
    Some(match kind {
        ScalarKind::Float => {
            let (a, b) = (float(a), float(b));
            match op {
                Op::Add => (a + b).to_bits(),
                Op::Subtract => (a - b).to_bits(),
                Op::Multiply => (a * b).to_bits(),
                Op::Divide => (a / b).to_bits(),
                Op::Modulo => (a % b).to_bits(),
                _ => u32::from(compare(op, a.partial_cmp(&b))?),
            }
        }
        ScalarKind::Sint | ScalarKind::Uint => {
            let is_signed = kind == ScalarKind::Sint;
            match op {
                Op::Add => a.wrapping_add(b),
                Op::Subtract => a.wrapping_sub(b),
                Op::Multiply => a.wrapping_mul(b),
                Op::Divide if b == 0 => a,
                Op::Modulo if b == 0 => 0,
                Op::Divide if is_signed => signed(a).wrapping_div(signed(b)) as u32,
                Op::Modulo if is_signed => signed(a).wrapping_rem(signed(b)) as u32,
                Op::Divide => a / b,
                Op::Modulo => a % b,
                Op::And => a & b,
                Op::InclusiveOr => a | b,
                Op::ExclusiveOr => a ^ b,
                Op::ShiftLeft => a << (b & 31),
                Op::ShiftRight if is_signed => (signed(a) >> (b & 31)) as u32,
                Op::ShiftRight => a >> (b & 31),
                _ if is_signed => u32::from(compare(op, Some(signed(a).cmp(&signed(b))))?),
                _ => u32::from(compare(op, Some(a.cmp(&b)))?),
            }
        }
        ScalarKind::Bool => match op {
            Op::And | Op::LogicalAnd => a & b,
            Op::InclusiveOr | Op::LogicalOr => a | b,
            Op::ExclusiveOr | Op::NotEqual => a ^ b,
            Op::Equal => u32::from(a == b),
            _ => return None,
        },
        _ => return None,
    })
}

fn compare(op: BinaryOperator, order: Option<std::cmp::Ordering>) -> Option<bool> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    Some(match op {
        BinaryOperator::Equal => order == Some(Equal),
        BinaryOperator::NotEqual => order != Some(Equal),
        BinaryOperator::Less => order == Some(Less),
        BinaryOperator::LessEqual => matches!(order, Some(Less | Equal)),
        BinaryOperator::Greater => order == Some(Greater),
        BinaryOperator::GreaterEqual => matches!(order, Some(Greater | Equal)),
        _ => return None,
    })
}

/// A function of up to three numbers of this kind, component by component.
pub fn math(function: MathFunction, kind: ScalarKind, x: [u32; 3]) -> Option<u32> {
    use MathFunction as F;
    Some(match kind {
        ScalarKind::Float => {
            let [a, b, c] = x.map(float);
            let result = match function {
                F::Abs => a.abs(),
                F::Min => a.min(b),
                F::Max => a.max(b),
                F::Clamp => a.max(b).min(c),
                F::Saturate => a.clamp(0.0, 1.0),
                F::Cos => a.cos(),
                F::Cosh => a.cosh(),
                F::Sin => a.sin(),
                F::Sinh => a.sinh(),
                F::Tan => a.tan(),
                F::Tanh => a.tanh(),
                F::Acos => a.acos(),
                F::Asin => a.asin(),
                F::Atan => a.atan(),
                F::Atan2 => a.atan2(b),
                F::Ceil => a.ceil(),
                F::Floor => a.floor(),
                F::Round => a.round_ties_even(),
                F::Fract => a - a.floor(),
                F::Trunc => a.trunc(),
                F::Exp => a.exp(),
                F::Exp2 => a.exp2(),
                F::Log => a.ln(),
                F::Log2 => a.log2(),
                F::Pow => a.powf(b),
                F::Sign if a == 0.0 => 0.0,
                F::Sign => a.signum(),
                F::Fma => a.mul_add(b, c),
                F::Mix => a * (1.0 - c) + b * c,
                F::Step => f32::from(u8::from(a <= b)),
                F::Sqrt => a.sqrt(),
                F::InverseSqrt => 1.0 / a.sqrt(),
                _ => return None,
            };
            result.to_bits()
        }
        ScalarKind::Sint => {
            let [a, b, c] = x.map(signed);
            let result = match function {
                F::Abs => a.wrapping_abs(),
                F::Min => a.min(b),
                F::Max => a.max(b),
                F::Clamp => a.max(b).min(c),
                F::Sign => a.signum(),
                F::CountOneBits => a.count_ones() as i32,
                _ => return None,
            };
            result as u32
        }
        ScalarKind::Uint => match function {
            F::Abs => x[0],
            F::Min => x[0].min(x[1]),
            F::Max => x[0].max(x[1]),
            F::Clamp => x[0].max(x[1]).min(x[2]),
            F::CountOneBits => x[0].count_ones(),
            F::CountLeadingZeros => x[0].leading_zeros(),
            F::CountTrailingZeros => x[0].trailing_zeros(),
            _ => return None,
        },
        _ => return None,
    })
}

/// A number of kind `from` as one of kind `to`. A float outside the range of integers becomes the nearest of those that are
/// floats too, as in naga.
pub fn convert(from: ScalarKind, to: ScalarKind, x: u32) -> Option<u32> {
    use ScalarKind::{Bool, Float, Sint, Uint};
    Some(match (from, to) {
        (Float, Float) | (Bool, Bool | Sint | Uint) | (Sint | Uint, Sint | Uint) => x,
        (Float, Sint) => (float(x).min(2_147_483_520.0) as i32) as u32,
        (Float, Uint) => float(x).min(4_294_967_040.0) as u32,
        (Float, Bool) => u32::from(float(x) != 0.0),
        (Sint, Float) => (signed(x) as f32).to_bits(),
        (Uint, Float) => (x as f32).to_bits(),
        (Bool, Float) => f32::from(u8::from(x != 0)).to_bits(),
        (Sint | Uint, Bool) => u32::from(x != 0),
        _ => return None,
    })
}
