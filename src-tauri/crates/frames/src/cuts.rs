//! Ways to cut an input into pieces, for the promise that items do not depend on it.

/// The input byte by byte, and cut in two (with an empty push between) at every place.
pub fn every_cut(input: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut ways = vec![input.chunks(1).collect::<Vec<_>>()];
    ways.extend((0..=input.len()).map(|at| vec![&input[..at], &[], &input[at..]]));
    ways
}

/// The input in pieces of these sizes, over and over.
pub fn pieces<'a>(mut input: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for size in sizes.iter().cycle() {
        if input.is_empty() {
            break;
        }
        let (piece, rest) = input.split_at((*size).clamp(1, input.len()));
        pieces.push(piece);
        input = rest;
    }
    pieces
}
