//! The tables of the study: each figure in the column whose heading names it.

use super::row::{Row, Rows, Samples};

/// The document with the figures of `rows` in its tables, and the runs in the tables that have no figures.
pub fn filled(document: &str, rows: &Rows) -> (String, Vec<String>) {
    let mut missing = vec![];
    let mut headings: Vec<String> = vec![];
    let mut lines = String::with_capacity(document.len());
    for line in document.lines() {
        match cells(line) {
            None => headings.clear(),
            Some(cells) if headings.is_empty() => headings = cells,
            _ => {}
        }
        let row = if headings.first().is_some_and(|first| first == "row") { cells(line) } else { None };
        match row.and_then(|cells| Some((Entry::of(cells.first()?)?, cells))) {
            None => lines.push_str(line),
            Some((entry, cells)) => match entry.row(rows) {
                Some(row) => lines.push_str(&entry.line(&headings, cells, &row)),
                None => {
                    missing.push(entry.run);
                    lines.push_str(line);
                }
            },
        }
        lines.push('\n');
    }
    (lines, missing)
}

/// The cells of a line of a table.
fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(|cell| cell.trim().to_string()).collect())
}

/// What the first cell of a row says: the name of the run, or a pattern that ends in `*` for several seeds; after a comma, the
/// samples, if not the first of the run; whether the row is bold. Other words are in parentheses.
struct Entry {
    run: String,
    samples: Option<String>,
    bold: bool,
}

impl Entry {
    fn of(cell: &str) -> Option<Self> {
        let bold = cell.starts_with("**");
        let mut parts = cell.trim_matches('*').split('`');
        let (run, rest) = (parts.nth(1)?.to_string(), parts.next().unwrap_or_default());
        let samples = rest.trim().strip_prefix(',').map(|samples| samples.trim().to_string());
        Some(Self { run, samples, bold })
    }

    /// The line of a table with these headings.
    fn line(&self, headings: &[String], mut cells: Vec<String>, row: &Row) -> String {
        for (heading, cell) in headings.iter().zip(&mut cells) {
            if let Some(figure) = self.figure(row, heading) {
                *cell = if self.bold && !figure.is_empty() { format!("**{figure}**") } else { figure };
            }
        }
        format!("| {} |", cells.join(" | "))
    }

    /// The figures of the run, or the means over all that fit the pattern; `None` without any, or without the samples.
    fn row(&self, rows: &Rows) -> Option<Row> {
        let named: Vec<_> = match self.run.strip_suffix('*') {
            Some(prefix) => rows.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, row)| row).collect(),
            None => rows.get(&self.run).into_iter().collect(),
        };
        let row = match named[..] {
            [] => None,
            [row] => Some(row.clone()),
            _ => Some(Row::mean(&named)),
        };
        row.filter(|row| self.samples.as_ref().is_none_or(|name| row.samples(name).is_some()))
    }

    /// The figure for a column, empty if it was not measured; `None` if the column is text.
    fn figure(&self, row: &Row, heading: &str) -> Option<String> {
        let set = match &self.samples {
            Some(name) => row.samples(name),
            None => row.samples.first(),
        };
        let one = |figure: fn(&Samples) -> Option<f64>, digits: usize| number(set.and_then(figure), digits);
        let each = |figure: fn(&Samples) -> Option<f64>, digits: usize| {
            let sets = row.samples.iter().filter(|set| set.name.starts_with("f("));
            let known: Option<Vec<_>> = sets.map(|set| Some(number(Some(figure(set)?), digits))).collect();
            known.map(|known| known.join(" / ")).unwrap_or_default()
        };
        let pair = |pair: Option<[f64; 2]>, join: &str, digits| {
            pair.map(|pair| pair.map(|x| number(Some(x), digits)).join(join)).unwrap_or_default()
        };
        Some(match heading {
            "Fréchet f / f² / f³" => each(|set| set.frechet, 1),
            "Fréchet, judge" => each(|set| set.judge, 1),
            "KID" => each(|set| set.kid, 2),
            "Fréchet" => one(|set| set.frechet, 1),
            "judge" => one(|set| set.judge, 1),
            "precision, recall of f" => match set.map(|set| (set.precision, set.recall)) {
                Some((Some(precision), Some(recall))) => pair(Some([precision, recall]), ", ", 2),
                _ => String::new(),
            },
            "precision" => one(|set| set.precision, 2),
            "recall" => one(|set| set.recall, 2),
            "confident" => percent(set.and_then(|set| set.confident)),
            "nearest training image" => one(|set| set.nearest, 1),
            "shares" => pair(row.shares, " to ", 2),
            "idempotence, ratio" => pair(row.idempotence, ", ", 3),
            "L_rec" => number(row.rec, 3),
            "recognised: batch, alone" => match row.recognised {
                None => String::new(),
                Some(shares) => {
                    let share = |share: Option<f64>| share.map_or("–".into(), |share| number(Some(100.0 * share), 1));
                    format!("{} %", shares.map(share).join(", "))
                }
            },
            "recognised as asked: f, f²" => match row.asked {
                None => String::new(),
                Some(shares) => shares.map(|share| percent(Some(share))).join(", "),
            },
            "Mesa" => driver(&row.adapter).into(),
            _ => return None,
        })
    }
}

fn number(figure: Option<f64>, digits: usize) -> String {
    figure.map_or(String::new(), |figure| format!("{figure:.digits$}"))
}

fn percent(share: Option<f64>) -> String {
    share.map_or(String::new(), |share| format!("{:.1} %", 100.0 * share))
}

/// The version of Mesa in the name of an adapter; the whole name if there is none.
fn driver(adapter: &str) -> &str {
    let version = adapter.split("Mesa ").nth(1).and_then(|rest| rest.split(['-', ' ', ')']).next());
    version.unwrap_or(adapter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Rows {
        let row = |frechet: f64| Row {
            adapter: "llvmpipe (Vulkan, software, llvmpipe Mesa 25.0.7-2 (LLVM 15))".into(),
            samples: ["f(z)", "f(f(z))"]
                .map(|name| Samples { name: name.into(), frechet: Some(frechet), ..Samples::default() })
                .into(),
            shares: Some([0.5 / frechet, frechet]),
            ..Row::default()
        };
        [("a-seed-1", 2.0), ("a-seed-2", 4.0)].map(|(name, frechet)| (name.into(), row(frechet))).into()
    }

    #[test]
    fn figures_go_where_the_heading_names_them() {
        let document = "x | y\n\n| row | change | Fréchet f / f² / f³ | shares | L_rec | Mesa |\n|---|---|---|---|---|---|\n\
                        | **`a-seed-2`** | none | ? | | 0.1 | |\n| `a-seed-*` | all | | | | |\n\n| other | shares |\n|---|---|\n| `b` | 1 |\n";
        let expected = "x | y\n\n| row | change | Fréchet f / f² / f³ | shares | L_rec | Mesa |\n|---|---|---|---|---|---|\n\
                        | **`a-seed-2`** | none | **4.0 / 4.0** | **0.12 to 4.00** |  | **25.0.7** |\n\
                        | `a-seed-*` | all | 3.0 / 3.0 | 0.12 to 4.00 |  | 25.0.7 |\n\n| other | shares |\n|---|---|\n| `b` | 1 |\n";
        let once = filled(document, &rows());
        assert_eq!(once, (expected.into(), vec![]));
        assert_eq!(filled(&once.0, &rows()), once);
    }

    #[test]
    fn a_row_without_figures_stays_and_is_named() {
        for (cell, named) in [("`c`", "c"), ("`a-seed-1`, f(f(f(z)))", "a-seed-1")] {
            let document = format!("| row | shares |\n|---|---|\n| {cell} | |\n");
            assert_eq!(filled(&document, &rows()), (document, vec![named.into()]));
        }
    }

    #[test]
    fn samples_are_chosen_by_the_first_cell() {
        for cell in ["`a-seed-1`, f(f(z))", "`a-seed-1` (seed 1)"] {
            let (filled, missing) = filled(&format!("| row | Fréchet |\n|---|---|\n| {cell} | |\n"), &rows());
            assert!(missing.is_empty() && filled.ends_with(&format!("| {cell} | 2.0 |\n")), "{filled}");
        }
    }
}
