//! Tensors by planes, on all processors.

/// Fills the planes of `size` values that make up a tensor, on all processors.
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
