//! Writes the networks that the page loads: the shipped ones in half precision, which halves what visitors wait for.
//!
//!     cargo run --release -p ign-web --example pack -- MODELS FOLDER

use ign::files::half_precision;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let [from, to] = [1, 2].map(|i| std::env::args_os().nth(i).map(PathBuf::from));
    let (from, to) = from.zip(to).ok_or("give the folder of the models, and the folder to write to")?;
    for name in ["mnist.safetensors", "classifier.safetensors"] {
        let path = from.join(name);
        let bytes = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        fs::write(to.join(name), half_precision(&bytes)?)?;
    }
    Ok(())
}
