//! Loops of WGSL, written out.

use std::ops::Range;

/// Writes out the loops that are marked in the WGSL `text`: `for (var i = 0u; i < N; i++) { // unroll` becomes
/// `{ const i = 0u; … } { const i = 1u; … }`, and so on. `constant` gives the value of `N` by its name.
///
/// A local array lies in registers only if all its indices are constants. Drivers unroll loops to make them so, but each
/// only up to a size of its own.
pub(super) fn unrolled(text: &str, constant: &impl Fn(&str) -> Option<u32>) -> String {
    let Some(Marked { whole, body, variable, turns }) = first(text, constant) else { return text.into() };
    let body = unrolled(&text[body], constant);
    let written = (0..turns).map(|turn| format!("{{ const {variable} = {turn}u;{body}}}\n"));
    [&text[..whole.start], &written.collect::<String>(), &unrolled(&text[whole.end..], constant)].concat()
}

/// The begin of a loop's first line.
const START: &str = "for (var ";
/// The end of a marked loop's first line.
const MARK: &str = ") { // unroll\n";

/// A marked loop: its places in the text, its variable and how often it turns.
struct Marked<'a> {
    whole: Range<usize>,
    body: Range<usize>,
    variable: &'a str,
    turns: u32,
}

/// The first marked loop of `text`. A loop of another form, or with an unknown bound, stays as it is.
fn first<'a>(text: &'a str, constant: &impl Fn(&str) -> Option<u32>) -> Option<Marked<'a>> {
    text.match_indices(MARK).find_map(|(header, _)| marked(text, header, constant))
}

/// The marked loop whose first line ends with the [`MARK`] at `header`.
fn marked<'a>(text: &'a str, header: usize, constant: &impl Fn(&str) -> Option<u32>) -> Option<Marked<'a>> {
    let start = text[..header].rfind(START)?;
    let (variable, _) = text[start + START.len()..header].split_once(' ')?;
    let bound = text[start..header].strip_prefix(&format!("{START}{variable} = 0u; {variable} < "))?;
    let bound = bound.strip_suffix(&format!("; {variable}++"))?;
    let turns = constant(bound).or_else(|| bound.strip_suffix('u')?.parse().ok())?;
    let from = header + MARK.len() - 1;
    let mut depth = 1;
    let end = text[from..].char_indices().find(|&(_, c)| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        depth == 0
    });
    let end = from + end?.0;
    Some(Marked { whole: start..end + 1, body: from..end, variable, turns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_loops_are_written_out() {
        let text = "a;\nfor (var i = 0u; i < N; i++) { // unroll\n  b[i];\n  for (var k = 0u; k < 2u; k++) { // unroll\n    \
                    if (c) { d[i][k]; }\n  }\n}\nfor (var j = 0u; j < 2u; j++) { e; }\n\
                    for (var l = 0u; l < UNKNOWN; l++) { // unroll\nf;}\nfor (var m = 0u; m < 1u; m++) { // unroll\ng;}";
        let constant = |name: &str| (name == "N").then_some(3);
        let written = unrolled(text, &constant);
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let inner = |k: u32| format!("{{ const k = {k}u; if (c) {{ d[i][k]; }} }}");
        let outer = |i: u32| format!("{{ const i = {i}u; b[i]; {} {} }}", inner(0), inner(1));
        let expected = [
            "a;",
            &outer(0),
            &outer(1),
            &outer(2),
            "for (var j = 0u; j < 2u; j++) { e; }",
            "for (var l = 0u; l < UNKNOWN; l++) { // unroll f;}",
            "{ const m = 0u; g;}",
        ]
        .join(" ");
        assert_eq!(words(&written), expected);
    }
}
