//! Files in the safetensors format that hold anything but a checkpoint.

use super::Target;
use crate::mutate::{Random, bytes, safetensors};
use ::safetensors::tensor::TensorView;
use ::safetensors::{Dtype, serialize};
use ign::model::Checkpoint;
use rand::RngExt;
use std::collections::HashMap;
use std::path::Path;

pub const TARGET: Target = Target::new("safetensors", seeds, mutate, run);

fn seeds() -> Vec<Vec<u8>> {
    let numbers: Vec<u8> = (0..48).collect();
    let tensor = |dtype: Dtype, shape: &[usize]| {
        let size = shape.iter().product::<usize>() * dtype.bitsize() / 8;
        TensorView::new(dtype, shape.to_vec(), &numbers[..size]).expect("the bytes fill the shape")
    };
    let all = [
        ("weight", tensor(Dtype::F32, &[2, 3, 2])),
        ("scalar", tensor(Dtype::F32, &[])),
        ("empty", tensor(Dtype::F32, &[0, 3])),
        ("half", tensor(Dtype::F16, &[4])),
        ("count", tensor(Dtype::I64, &[1])),
    ];
    let metadata = HashMap::from([("format".to_string(), "pt".to_string())]);
    let written = |count: usize, metadata| serialize(all[..count].iter().cloned(), metadata).expect("valid tensors");
    vec![written(0, None), written(2, None), written(3, Some(metadata.clone())), written(5, Some(metadata))]
}

fn mutate(random: &mut Random, case: &mut Vec<u8>) {
    if random.random() { safetensors(random, case) } else { bytes(random, case) }
}

fn run(work: &Path, case: &[u8]) {
    let path = work.join("tensors.safetensors");
    std::fs::write(&path, case).expect("the folder can be written");
    let error = Checkpoint::load(&path).map(|_| ()).expect_err("what is no checkpoint was accepted as one");
    assert!(error.to_string().len() < 1000, "an error of {} bytes", error.to_string().len());
}
