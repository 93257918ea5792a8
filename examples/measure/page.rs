//! The page of an adapter, in Markdown.

use crate::{Case, Measurements};

/// The page.
pub fn page(m: &Measurements) -> String {
    let mut lines = vec![
        format!("# {}", m.adapter),
        String::new(),
        format!(
            "{}, {}. ign {}, `cargo run --release --example measure`. Roof {:.0} GFLOP/s of multiply-adds, copy {:.1} GB/s, \
             an empty dispatch {:.0} µs.",
            m.backend, m.driver, m.version, m.roof_gflops, m.copy_gbytes, m.dispatch_us
        ),
        "\n## Training step\n\nThree applications of the network, their backward passes, and Adam.\n".into(),
        HEAD.into(),
    ];
    lines.extend(m.steps.iter().map(row));
    lines.push("\n## Variants of the kernels\n".into());
    lines.push(HEAD.into());
    lines.extend(m.variants.iter().map(row));
    lines.push(
        "\n## Operations of 1 GFLOP and more\n\n| network | width | batch | operation | output | GFLOP | share of the roof |".into(),
    );
    lines.push("|---|---|---|---|---|---|---|".into());
    lines.extend(m.operations.iter().map(|o| {
        let share = 100.0 * o.share_of_roof;
        let case = format!("{} | {} | {}", o.network, o.width, o.batch);
        format!("| {case} | {} | {} | {:.2} | {share:.1} % |", o.op, o.shape, o.gflop)
    }));
    lines.join("\n") + "\n"
}

const HEAD: &str = "\
| network | width | batch | variant | median | best | host | roof, GFLOP/s | share of the roof | memory | first step |
|---|---|---|---|---|---|---|---|---|---|---|";

fn row(case: &Case) -> String {
    let Case { variant, network, width, batch, result } = case;
    let start = format!("| {} | {width} | {batch} | {variant} |", network);
    match result {
        Ok(step) => format!(
            "{start} {:.1} ms | {:.1} ms | {:.1} ms | {:.0} | {:.1} % | {:.0} MiB | {:.1} s |",
            step.median_ms,
            step.best_ms,
            step.host_ms,
            step.roof_gflops,
            100.0 * step.share_of_roof,
            step.planned_bytes as f64 / f64::from(1 << 20),
            step.first_s
        ),
        Err(reason) => format!("{start} {reason} | | | | | | |"),
    }
}
