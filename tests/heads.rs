//! Shorter backward passes from the explained classes to the gradient, compared with the general one, and with the
//! CPU reference in every variant.

mod common;
#[path = "common/net.rs"]
mod net;

use common::{error, run_cpu};
use gradcam::graph::{Activation, Kind, NodeId, Op, Rule, Window, gradient_mean, gradients};
use gradcam::kernels::Profile;
use net::{Check, Net};

/// A seed for the explained classes. If `hidden`, an activation that changes nothing follows it, so that the shorter
/// passes do not apply.
fn seed(net: &mut Net, logits: NodeId, maps: usize, hidden: bool) -> NodeId {
    let [_, classes, ..] = net.graph.shape(logits);
    let requests = net.graph.input(Kind::Plain, [2, 3, 1, 1]);
    net.inputs.push((requests, vec![-1.0, 36.0, 2.0, 5.0, -1.0, 7.0]));
    let records = net.op(Op::Select, &[logits, requests]);
    let seed = net.op(Op::Seed { classes, requests: 3, maps }, &[records]);
    if hidden { net.op(Op::Activate(Activation::Relu), &[seed]) } else { seed }
}

/// The shorter backward pass of a head for single logits equals the general one. Heads are: pooling and classifier, a
/// classifier on a whole feature map, a 1×1 convolution and pooling.
#[test]
fn heads_of_single_logits() {
    for (head, maps) in [("pool, linear", 1), ("pool, linear", 2), ("linear", 2), ("conv, relu, pool", 2)] {
        let build = |hidden: bool| {
            let mut net = Net::new(6);
            let x = net.features([2, 9, 5, 4]);
            let logits = match head {
                "linear" => net.linear(x, 37),
                "pool, linear" => {
                    let mean = net.op(Op::Mean, &[x]);
                    net.linear(mean, 37)
                }
                _ => {
                    let scores = net.conv(x, 37, Window::square(1, 1, 0), 1);
                    let scores = net.op(Op::Activate(Activation::Relu), &[scores]);
                    net.op(Op::Mean, &[scores])
                }
            };
            let seed = seed(&mut net, logits, maps, hidden);
            let gradient = gradients(&mut net.graph, logits, seed, &[x], Rule::Standard).unwrap()[0];
            let weights = gradient_mean(&mut net.graph, gradient).unwrap();
            let outputs = [gradient, weights].map(|id| net.unpack(id));
            (net, outputs)
        };
        let ((general, of_general), (short, outputs)) = (build(true), build(false));
        let truth = run_cpu(&general.graph, &general.inputs, &of_general);
        let found = run_cpu(&short.graph, &short.inputs, &outputs);
        for (found, truth) in found.iter().zip(&truth) {
            let found: Vec<f32> = found.iter().map(|v| *v as f32).collect();
            assert!(error(&found, truth) < 1e-6, "{head}");
        }
        let shaders = short.shaders(&Profile::BUFFERS, &outputs[1..]);
        let long = shaders.iter().filter(|s| ["linear_grad", "seed"].contains(s)).count();
        assert!(shaders.contains(&"class_weights") && long <= usize::from(head.starts_with("conv")), "{shaders:?}");
        assert!(head != "pool, linear" || !shaders.contains(&"spread"), "{shaders:?}");
        short.check(head, &outputs);
    }
}
