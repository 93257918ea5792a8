//! The puzzles in their order.

use super::{COUNT, Puzzle, cases, engine};
use crate::puzzle::Text;

/// A puzzle whose files are called `$file`.
macro_rules! puzzle {
    ($number:literal, $name:literal, $file:literal, $title:literal, $leads_to:literal, $case:path, $shapes:expr, $measured:expr, engine: $engine:expr, lean: $lean:literal, $hints:expr $(,)?) => {
        Puzzle {
            text: Text { number: $number, name: $name, title: $title, hints: $hints },
            file: concat!("exercises/kernels/", $file),
            solution_file: concat!("exercises/solutions/kernels/", $file),
            #[cfg(feature = "stubs")]
            stub: include_str!(concat!("../../kernels/", $file)),
            solution: include_str!(concat!("../../solutions/kernels/", $file)),
            leads_to: $leads_to,
            case: $case,
            shapes: &$shapes,
            measured: &$measured,
            engine: $engine,
            lean: $lean,
        }
    };
}

/// Lengths around one workgroup of 64, primes among them.
const LENGTHS: [&[usize]; 6] = [&[1], &[2], &[63], &[65], &[127], &[640]];
/// Rows, columns and steps of products.
const PRODUCTS: [&[usize]; 6] = [&[1, 1, 1], &[1, 17, 3], &[17, 1, 16], &[31, 33, 13], &[5, 3, 37], &[64, 64, 48]];
/// N, C, H, W, O, kernel, stride, padding.
const CONVOLUTIONS: [&[usize]; 7] = [
    &[1, 1, 1, 1, 1, 1, 1, 0],
    &[1, 1, 3, 5, 1, 3, 1, 1],
    &[2, 3, 7, 5, 2, 3, 2, 1],
    &[1, 2, 5, 6, 3, 4, 3, 0],
    &[3, 1, 4, 4, 2, 2, 1, 2],
    &[1, 2, 5, 7, 1, 4, 2, 1],
    &[2, 4, 8, 8, 4, 3, 1, 1],
];
const CONVOLUTION: [usize; 8] = [8, 16, 16, 16, 32, 3, 1, 1];

/// All puzzles of the track.
pub static PUZZLES: [Puzzle; COUNT] = [
    puzzle!(
        1,
        "map",
        "01_map.wgsl",
        "one element per invocation",
        "shaders/leaky_relu.wgsl",
        cases::map,
        [&[64], &[192], &[640]],
        [1 << 20],
        engine: None,
        lean: false,
        [
            "A kernel is written for one invocation. All of them run it at once, each with its own i.",
            "Elements of a buffer are read and written as those of an array: y[i] = …;",
            "let v = x[i]; y[i] = v * v + 1.0; A number with a decimal point is an f32.",
        ],
    ),
    puzzle!(
        2,
        "guard",
        "02_guard.wgsl",
        "workgroups that do not divide the length",
        "shaders/shared/elementwise_1.wgsl",
        cases::guard,
        LENGTHS,
        [(1 << 20) - 1],
        engine: Some(engine::relu),
        lean: false,
        [
            "65 elements need two workgroups of 64. What do the last 63 invocations of the second one do?",
            "An invocation without an element must neither read nor write.",
            "Put the line into if (i < params.count) { … }.",
        ],
    ),
    puzzle!(
        3,
        "zip",
        "03_zip.wgsl",
        "two operands, four elements at a time",
        "shaders/multiplication.wgsl",
        cases::zip,
        [&[4], &[8], &[252], &[260], &[508], &[2560]],
        [1 << 20],
        engine: Some(engine::multiplication),
        lean: true,
        [
            "The index of a vector is made of w.x and local, as in puzzle 1, and guarded, as in puzzle 2.",
            "a[i] is a vec4<f32>, and * multiplies vectors element by element.",
            "let i = w.x * 64u + local; if (i < params.quads) { y[i] = a[i] * b[i]; }",
        ],
    ),
    puzzle!(
        4,
        "stencil",
        "04_stencil.wgsl",
        "neighbours, and what lies outside",
        "shaders/shared/product.wgsl",
        cases::stencil,
        LENGTHS,
        [1 << 20],
        engine: None,
        lean: false,
        [
            "Take an array of one element, and write down which elements the kernel reads.",
            "x_at(count) should be zero.",
            "The indices of `count` elements are 0, …, count − 1: compare with < instead of <=.",
        ],
    ),
    puzzle!(
        5,
        "barrier",
        "05_barrier.wgsl",
        "workgroup memory and barriers",
        "shaders/shared/product_workgroup.wgsl",
        cases::window,
        LENGTHS,
        [1 << 20],
        engine: None,
        lean: true,
        [
            "Who writes tile[local + 1], and what says that it is written before it is read?",
            "workgroupBarrier() waits until all invocations of the workgroup are there, and makes their writes visible.",
            "The barrier belongs after the two stores to the tile, and before the return, since all must reach it.",
        ],
    ),
    puzzle!(
        6,
        "reduction",
        "06_reduction.wgsl",
        "a sum of many elements",
        "shaders/shared/channel_sums.wgsl",
        cases::reduction,
        [&[1, 1], &[1, 63], &[2, 65], &[3, 127], &[5, 640]],
        [1024, 1024],
        engine: Some(engine::sum),
        lean: true,
        [
            "With half = 32, invocations 0 to 31 add sums[local + 32] to sums[local]. Then half = 16, and so on.",
            "Each turn reads what others wrote in the turn before: a barrier in each turn, which all 64 reach.",
            "for (var half = 32u; half > 0u; half /= 2u) { workgroupBarrier(); if (local < half) { … } }",
        ],
    ),
    puzzle!(
        7,
        "transpose",
        "07_transpose.wgsl",
        "neighbours that stay neighbours",
        "shaders/matmul.wgsl",
        cases::transpose,
        [&[1, 1], &[1, 17], &[17, 1], &[15, 33], &[31, 16], &[64, 96]],
        [1024, 1024],
        engine: None,
        lean: true,
        [
            "Neighbours differ in local.x. So local.x must be added to the last index both of the load and of the store.",
            "var<workgroup> tile: array<array<f32, 16>, 16>; each invocation stores one element there and takes another.",
            "Load tile[local.y][local.x], wait at a barrier, and store tile[local.x][local.y] in row column + local.y and \
             column row + local.x of y. Both ends need a guard of their own.",
        ],
    ),
    puzzle!(
        8,
        "tiled_product",
        "08_tiled_product.wgsl",
        "a matrix product through workgroup memory",
        "shaders/shared/product_workgroup.wgsl",
        cases::product,
        PRODUCTS,
        [256, 256, 256],
        engine: Some(engine::product),
        lean: true,
        [
            "A workgroup has 256 invocations, and a tile has 256 elements: each invocation loads one of A and one of B.",
            "a_tile[local.y][local.x] holds row m and step k + local.x. Which step and column does b_tile need there?",
            "Two barriers in each turn: after the loads, and after the sum, before the next turn overwrites the tiles.",
        ],
    ),
    puzzle!(
        9,
        "register_tile",
        "09_register_tile.wgsl",
        "a matrix product in registers",
        "shaders/shared/product_direct.wgsl",
        cases::blocked_product,
        PRODUCTS,
        [256, 256, 256],
        engine: Some(engine::product),
        lean: true,
        [
            "Load the four elements of B once per step, before the loop over the rows.",
            "var bs: array<f32, 4>; bs[j] = b_at(k, n + 8u * j);",
            "For each row i: let value = a_at(m + i, k); and for each column j: sums[i][j] += value * bs[j];",
        ],
    ),
    puzzle!(
        10,
        "panels",
        "10_panels.wgsl",
        "data in the order in which it is needed",
        "shaders/shared/product_pack.wgsl",
        cases::packed_product,
        PRODUCTS,
        [256, 256, 256],
        engine: Some(engine::product),
        lean: true,
        [
            "Vector number i belongs to panel i / steps and step i % steps.",
            "There are (rows + 3) / 4 panels of `steps` vectors; a_at is zero in rows that A does not have.",
            "panels[i] = vec4<f32>(a_at(m, k), a_at(m + 1u, k), …) with m = i / params.steps * 4u and a guard.",
        ],
    ),
    puzzle!(
        11,
        "convolution",
        "11_convolution.wgsl",
        "images, and their edges",
        "shaders/convolution_forward.wgsl",
        cases::convolution,
        CONVOLUTIONS,
        CONVOLUTION,
        engine: Some(engine::convolution),
        lean: false,
        [
            "Which pixel does x_at read in column −1?",
            "plane + row·width − 1 is the last pixel of the row before.",
            "The column needs the same test as the row: || u32(column) >= params.width.",
        ],
    ),
    puzzle!(
        12,
        "input_gradient",
        "12_input_gradient.wgsl",
        "the gradient of a convolution's input",
        "shaders/convolution_input_gradient.wgsl",
        cases::input_gradient,
        CONVOLUTIONS,
        CONVOLUTION,
        engine: Some(engine::input_gradient),
        lean: false,
        [
            "Solve row = p·stride + i − padding for p. When is the solution a whole number from 0 to P − 1?",
            "With u32, row + padding − i below zero becomes a large number. Its quotient by the stride is beyond P.",
            "let p = (row + params.padding - i) / params.stride; continue unless p * params.stride gives that number back \
             and p < params.out_height; q likewise.",
        ],
    ),
    puzzle!(
        13,
        "weight_gradient",
        "13_weight_gradient.wgsl",
        "the gradient of a convolution's weights",
        "shaders/convolution_weight_gradient.wgsl",
        cases::weight_gradient,
        CONVOLUTIONS,
        CONVOLUTION,
        engine: Some(engine::weight_gradient),
        lean: false,
        [
            "The weight (o, c, i, j) was used once for each image n and each pixel (p, q) of y.",
            "Three loops, over params.batch, params.out_height and params.out_width.",
            "dy has the index ((n * params.outputs + o) * params.out_height + p) * params.out_width + q; row and column of x \
             are those of puzzle 11.",
        ],
    ),
    puzzle!(
        14,
        "batch_norm_sums",
        "14_batch_norm_sums.wgsl",
        "mean and variance without cancellation",
        "shaders/batch_norm_statistics.wgsl",
        cases::statistics,
        [&[1, 1, 2], &[2, 1, 1], &[3, 2, 7], &[2, 3, 49], &[4, 5, 64]],
        [64, 64, 196],
        engine: Some(engine::statistics),
        lean: true,
        [
            "An f32 has 24 bits. How many has the square of a number near 4,096, and how large is the variance?",
            "Subtract from each element a number that is near all of them.",
            "Any element of the channel will do, such as x[channel * params.pixels]. The mean needs it back at the end.",
        ],
    ),
];
