//! Where backward passes begin.

use super::how::How;
use super::tap::Begun;
use crate::cam::{self, Begin};
use crate::error::Result;
use crate::graph::{Graph, NodeId};

/// Where the backward pass begins for other images, given what became of [`Begun::output`] for them.
pub fn begin(graph: &mut Graph, how: &How, network: &Begun, output: NodeId) -> Result<Begin> {
    Ok(match &how.similar_to {
        Some(reference) => cam::similarity(graph, output, reference)?.begin,
        None => cam::begin(graph, &how.target, output, network.one_hot, network.is_sigmoid)?,
    })
}
