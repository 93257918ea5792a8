/// Labels as rows `[N, K]`: 1 for the class of the sample, 0 for all others.
pub fn one_hot(labels: impl IntoIterator<Item = u8>, classes: usize) -> Vec<f32> {
    let row = |label: u8| (0..classes).map(move |class| f32::from(u8::from(class == usize::from(label))));
    labels.into_iter().flat_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_its_class() {
        assert_eq!(one_hot([2, 0], 3), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    }
}
