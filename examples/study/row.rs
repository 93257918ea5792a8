//! The figures of a row of the study.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

/// The figures of every row by its name.
pub type Rows = BTreeMap<String, Row>;

/// The figures of a training and its evaluation. What was not measured is absent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Row {
    /// The adapter with its driver.
    pub adapter: String,
    /// Where the figures come from, if not from an evaluation by `scripts/study`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The samples by name: f(z), f(f(z)), f(f(f(z))), or those of a baseline.
    pub samples: Vec<Samples>,
    /// The least and the greatest share of a class in f(z), relative to the training images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shares: Option<[f64; 2]>,
    /// |f(f(z)) − f(z)|, and relative to |f(z) − z|.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotence: Option<[f64; 2]>,
    /// D(f(x), x) of test images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rec: Option<f64>,
    /// The share of digits with noise 0.5 that are recognised after f: in a batch, and alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recognised: Option<[Option<f64>; 2]>,
    /// The shares of f(z|c) and f(f(z|c)|c) that are recognised as c.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<[f64; 2]>,
}

/// The figures of a set of samples.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Samples {
    pub name: String,
    pub frechet: Option<f64>,
    pub kid: Option<f64>,
    /// The Fréchet distance in the features of the second classifier.
    pub judge: Option<f64>,
    pub precision: Option<f64>,
    pub recall: Option<f64>,
    pub confident: Option<f64>,
    /// The mean distance to the nearest training image.
    pub nearest: Option<f64>,
}

impl Row {
    /// The figures of an evaluated run, or of a measured baseline.
    pub fn of(run: &Path) -> Result<Self, Box<dyn Error>> {
        let path = run.join("evaluation.json");
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let record: Value = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        let sets: Vec<_> = record["samples"].as_array().into_iter().flatten().collect();
        let drift = |i: usize| record["drift"][i].as_f64();
        let noisy = record["degradations"].as_array().into_iter().flatten().find(|d| d["name"] == "noise 0.5");
        let asked = |key: &str| record["conditional"][key].as_f64();
        Ok(Self {
            adapter: record["adapter"].as_str().unwrap_or_default().into(),
            source: None,
            samples: sets.iter().filter(|set| set["name"] != "z").map(|set| Samples::of(set)).collect(),
            shares: shares(&sets),
            idempotence: drift(0).zip(drift(1)).map(|(first, second)| [second, second / first]),
            rec: record["rec"].as_f64(),
            recognised: noisy.map(|noisy| ["accuracy_after", "accuracy_alone"].map(|key| noisy[key].as_f64())),
            asked: asked("recognised").zip(asked("recognised_twice")).map(|(f, ff)| [f, ff]),
        })
    }
}

impl Samples {
    fn of(set: &Value) -> Self {
        let number = |key: &str| set[key].as_f64();
        Self {
            name: set["name"].as_str().unwrap_or_default().into(),
            frechet: number("frechet"),
            kid: number("kid"),
            judge: set["judge"]["frechet"].as_f64(),
            precision: number("precision"),
            recall: number("recall"),
            confident: number("confident"),
            nearest: number("nearest"),
        }
    }
}

/// The least and the greatest share of a class in f(z), relative to its share of the training images.
fn shares(sets: &[&Value]) -> Option<[f64; 2]> {
    let histogram = |name: &str| -> Option<Vec<f64>> {
        let set = sets.iter().find(|set| set["name"] == name)?;
        let counts: Vec<_> = set["histogram"].as_array()?.iter().filter_map(Value::as_f64).collect();
        let total: f64 = counts.iter().sum();
        Some(counts.iter().map(|count| count / total).collect())
    };
    let (found, real) = (histogram("f(z)")?, histogram("real")?);
    let ratios: Vec<_> = found.iter().zip(&real).map(|(found, real)| found / real).collect();
    Some([ratios.iter().copied().fold(f64::INFINITY, f64::min), ratios.iter().copied().fold(0.0, f64::max)])
}

impl Row {
    /// One row for several seeds: the means of all figures, and the shares from the least to the greatest.
    pub fn mean(rows: &[&Self]) -> Self {
        let mean = |figure: &dyn Fn(&Self) -> Option<f64>| {
            let known: Option<Vec<_>> = rows.iter().map(|row| figure(row)).collect();
            known.filter(|known| !known.is_empty()).map(|known| known.iter().sum::<f64>() / known.len() as f64)
        };
        let pair = |figure: &dyn Fn(&Self, usize) -> Option<f64>| {
            mean(&|row| figure(row, 0)).zip(mean(&|row| figure(row, 1))).map(|(a, b)| [a, b])
        };
        let first = rows.first().copied().cloned().unwrap_or_default();
        let samples = first.samples.iter().map(|set| {
            let of = |figure: &dyn Fn(&Samples) -> Option<f64>| mean(&|row| figure(row.samples(&set.name)?));
            Samples {
                name: set.name.clone(),
                frechet: of(&|set| set.frechet),
                kid: of(&|set| set.kid),
                judge: of(&|set| set.judge),
                precision: of(&|set| set.precision),
                recall: of(&|set| set.recall),
                confident: of(&|set| set.confident),
                nearest: of(&|set| set.nearest),
            }
        });
        let shares = || rows.iter().filter_map(|row| row.shares);
        let least = shares().map(|[least, _]| least).reduce(f64::min);
        let greatest = shares().map(|[_, greatest]| greatest).reduce(f64::max);
        Self {
            adapter: first.adapter.clone(),
            source: None,
            samples: samples.collect(),
            shares: least.zip(greatest).map(|(least, greatest)| [least, greatest]),
            idempotence: pair(&|row, i| Some(row.idempotence?[i])),
            rec: mean(&|row| row.rec),
            recognised: pair(&|row, i| row.recognised?[i]).map(|pair| pair.map(Some)),
            asked: pair(&|row, i| Some(row.asked?[i])),
        }
    }

    /// The samples of this name.
    pub fn samples(&self, name: &str) -> Option<&Samples> {
        self.samples.iter().find(|set| set.name == name)
    }
}
