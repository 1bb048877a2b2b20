//! The selection of classes, and the seed of the backward pass.

use crate::graph::Shape;

/// One record per request: class, logit, softmax probability, and number of the image's logits that are not finite in
/// f32.
///
/// A request is a class index. A negative request asks for the next most probable class; of equal ones, the first
/// comes first.
pub fn select(logits: &[f64], [_, classes, ..]: Shape, requests: &[f64], [_, k, ..]: Shape) -> Vec<f64> {
    let mut records = vec![];
    for (logits, requests) in logits.chunks(classes).zip(requests.chunks(k)) {
        let mut ranking: Vec<usize> = (0..classes).collect();
        ranking.sort_unstable_by(|&a, &b| logits[b].total_cmp(&logits[a]).then(a.cmp(&b)));
        let max = logits[ranking[0]];
        let sum: f64 = logits.iter().map(|l| (l - max).exp()).sum();
        let others = logits.iter().filter(|l| !(**l as f32).is_finite()).count();
        let mut rank = 0;
        for &request in requests {
            let class = if request < 0.0 {
                rank += 1;
                ranking[(rank - 1).min(classes - 1)]
            } else {
                request as usize
            };
            records.extend([class as f64, logits[class], (logits[class] - max).exp() / sum, others as f64]);
        }
    }
    records
}

/// One-hot rows for the first `maps` records of each image.
pub fn seed(records: &[f64], classes: usize, requests: usize, maps: usize) -> Vec<f64> {
    let one_hot =
        |record: &[f64]| (0..classes).map(|c| f64::from(u8::from(c == record[0] as usize))).collect::<Vec<_>>();
    records.chunks(4 * requests).flat_map(|image| image.chunks(4).take(maps)).flat_map(one_hot).collect()
}
