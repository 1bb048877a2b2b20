//! Gradients that are averaged over several images: on the way from a baseline to the image, or of the image with noise.

use super::begin::begin;
use super::how::How;
use super::tap::{Begun, Tap};
use crate::cam::{self, Begin, Moment, Passes};
use crate::error::Result;
use crate::graph::{Arithmetic, Digit, Graph, NodeId, Op, Rearrange, Rule, Side, Term, gradients, key, replay};

/// Appends a forward and a backward pass for each sample, one after another, so that they use the same memory. Returns the
/// averaged gradient at a tap.
pub fn averaged(graph: &mut Graph, how: &How, network: &Begun, tap: &Tap, passes: Passes) -> Result<NodeId> {
    let count = how.sampling.count(passes);
    let range = if let Passes::Noise(_) = passes { Some(range(graph, network.images)?) } else { None };
    // Of a path the weighted sum, of noise the mean.
    let nodes = if passes == Passes::Path { legendre(count) } else { vec![(1.0, 1.0 / count as f64); count] };
    let wanted: &[usize] = match passes {
        Passes::Noise(Moment::Square) => &[2],
        Passes::Noise(Moment::Variance) => &[1, 2],
        Passes::Noise(Moment::Powers) => &[1, 2, 3],
        _ => &[1],
    };
    let mut means: Vec<Option<NodeId>> = vec![None; wanted.len()];
    for (i, (place, weight)) in nodes.into_iter().enumerate() {
        let x = match range {
            // On the way from the baseline, the mean colour, which is 0.
            None => graph.scaled(network.images, place as f32, 0.0)?,
            Some(range) => {
                let key = key(how.sampling.seed, i as u32);
                graph.push(Op::Noise { key, deviation: how.sampling.noise }, &[network.images, range])?
            }
        };
        let gradient = gradient(graph, how, network, tap, x)?;
        let (mut power, mut degree) = (gradient, 1);
        for (mean, wanted) in means.iter_mut().zip(wanted) {
            for _ in degree..*wanted {
                power = graph.push(Op::Broadcast(Arithmetic::Multiply), &[power, gradient])?;
            }
            degree = *wanted;
            *mean = Some(added(graph, *mean, power, weight as f32)?);
        }
    }
    match means.into_iter().flatten().collect::<Vec<_>>()[..] {
        [one] => Ok(one),
        // E[G²] - E[G]²
        [mean, of_squares] => {
            let square = graph.push(Op::Broadcast(Arithmetic::Multiply), &[mean, mean])?;
            added(graph, Some(of_squares), square, -1.0)
        }
        [first, ref others @ ..] => {
            Ok(others.iter().try_fold(first, |joined, other| graph.push(Op::Concat, &[joined, *other]))?)
        }
        [] => unreachable!("there is at least one sample"),
    }
}

/// `sum + weight · x`.
fn added(graph: &mut Graph, sum: Option<NodeId>, x: NodeId, weight: f32) -> Result<NodeId> {
    let x = graph.scaled(x, weight, 0.0)?;
    Ok(sum.map_or(Ok(x), |sum| graph.push(Op::Add, &[sum, x]))?)
}

/// Places and weights of Gauss and Legendre's quadrature on 0..1, as Captum's: the roots of the polynomial of this degree, by
/// Newton's method. They lie denser at the ends, where networks change most.
fn legendre(count: usize) -> Vec<(f64, f64)> {
    let n = count as f64;
    let node = |i: usize| {
        let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..20 {
            // Of one degree after the other.
            let (mut before, mut value) = (1.0, x);
            for k in 2..=count {
                let k = k as f64;
                (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
            }
            slope = n * (x * value - before) / (x * x - 1.0);
            x -= value / slope;
        }
        ((1.0 - x) / 2.0, 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..count).map(node).collect()
}

/// The gradient at a tap for other images, for the classes chosen for the first ones.
fn gradient(graph: &mut Graph, how: &How, network: &Begun, tap: &Tap, x: NodeId) -> Result<NodeId> {
    let new = replay(graph, network.images, &[network.output, tap.node], x)?;
    let Begin { node, seed } = begin(graph, how, network, new[0])?;
    let gradient = gradients(graph, node, seed, &new[1..], Rule::Standard)?.remove(0);
    Ok(match &tap.grid {
        Some(moves) => graph.push(Op::Rearrange(moves.clone()), &[gradient])?,
        None => gradient,
    })
}

/// Appends what a path's gradients should add up to, and what they do: `[maps,c+1,1,1]`, the sums over each channel of the image
/// times the gradient, then the difference between the image's number and the baseline's.
pub fn path_sums(graph: &mut Graph, how: &How, network: &Begun, gradient: NodeId) -> Result<NodeId> {
    let found = graph.push(Op::GateGrad, &[gradient, network.images])?;
    let baseline = graph.scaled(network.images, 0.0, 0.0)?;
    let logits = replay(graph, network.images, &[network.logits], baseline)?;
    let of_baseline = cam::number(graph, how.target.score, logits[0], network.is_sigmoid)?;
    let less = graph.scaled(of_baseline, -1.0, 0.0)?;
    let difference = graph.push(Op::Add, &[network.begin.node, less])?;
    let expected = graph.push(Op::WeightedSum(Term::Product), &[difference, network.begin.seed])?;
    Ok(graph.push(Op::Concat, &[found, expected])?)
}

/// The least and the greatest number of each image, over all channels.
fn range(graph: &mut Graph, x: NodeId) -> Result<NodeId> {
    let [_, c, h, w] = graph.shape(x);
    let digit = |extent, from, to| Digit { extent, from: Some(from), to: Some(to) };
    let digits = [digit(c, (0, 1), (1, h)), digit(h, (1, 1), (1, 1)), digit(w, (2, 1), (2, 1))];
    let digits = digits.into_iter().filter(|digit| digit.extent > 1).collect();
    let moves = Rearrange { from: Side::whole([c, h, w]), to: Side::whole([1, c * h, w]), digits };
    let one = graph.rearrange(&moves, x)?;
    Ok(graph.push(Op::MinMax, &[one])?)
}

#[cfg(test)]
mod tests {
    use super::legendre;

    /// The quadrature of `count` places is exact for polynomials of degree `2 count - 1`.
    #[test]
    fn quadrature() {
        for count in [1, 2, 5, 50] {
            let nodes = legendre(count);
            for degree in [0, 1, 2 * count - 1] {
                let sum: f64 = nodes.iter().map(|(x, w)| w * x.powi(degree as i32)).sum();
                assert!((sum - 1.0 / (degree as f64 + 1.0)).abs() < 1e-12, "{count} {degree}: {sum}");
            }
            assert!(nodes.iter().all(|(x, w)| (0.0..1.0).contains(x) && *w > 0.0));
        }
    }
}
