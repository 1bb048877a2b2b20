//! Computes tensors plane by plane on all CPU cores.

/// Makes a tensor of `count` planes of `size` values. `fill` computes each plane; the planes are shared out among all
/// CPU cores.
pub fn planes(count: usize, size: usize, fill: impl Fn(usize, &mut [f64]) + Sync) -> Vec<f64> {
    let mut out = vec![0.0; count * size];
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = count.div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        for (first, planes) in out.chunks_mut((share * size).max(1)).enumerate() {
            let fill = &fill;
            scope.spawn(move || {
                planes.chunks_mut(size).enumerate().for_each(|(i, plane)| fill(first * share + i, plane));
            });
        }
    });
    out
}
