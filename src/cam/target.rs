//! What is explained of a class: the function of the class scores whose gradient the methods take.

use crate::graph::{Activation, Arithmetic, Digit, Graph, GraphError, NodeId, Op, Param, Rearrange, Side, Term};

/// The number that is explained.
///
/// ```
/// use gradcam::{Score, Target};
///
/// // What speaks against a class, and what tells it from class 7.
/// let (counterfactual, contrast) = (Target::default().negative(true), Target::default().against(&[7]));
/// # assert_eq!((counterfactual.score, contrast.score), (Score::Logit, Score::Logit));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Target {
    /// Of which number of a class the gradient is taken.
    pub score: Score,
    /// Explains what speaks against the class: the paper's counterfactual. The gradient's sign is changed.
    pub negative: bool,
    /// Explains the mean of the class and of these.
    pub with: Vec<usize>,
    /// Explains the difference to the mean of these classes.
    pub against: Vec<usize>,
}

/// A number that a network gives for a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Score {
    /// The score before softmax or sigmoid.
    #[default]
    Logit,
    /// The probability.
    Probability,
    /// The probability's logarithm.
    LogProbability,
    /// The score plus the probability's logarithm: ReST of Cai, arXiv 2501.06261.
    Rest,
}

impl Score {
    /// Whether it has a logarithm, so that it is no sum of numbers of the network.
    pub(crate) fn is_logarithm(self) -> bool {
        matches!(self, Self::LogProbability | Self::Rest)
    }
}

impl Target {
    /// Sets the number.
    #[must_use]
    pub fn score(self, score: Score) -> Self {
        Self { score, ..self }
    }

    /// Sets whether what speaks against the class is explained.
    #[must_use]
    pub fn negative(self, negative: bool) -> Self {
        Self { negative, ..self }
    }

    /// Sets the classes that are explained together with each.
    #[must_use]
    pub fn with(self, with: &[usize]) -> Self {
        Self { with: with.to_vec(), ..self }
    }

    /// Sets the classes of the contrast.
    #[must_use]
    pub fn against(self, against: &[usize]) -> Self {
        Self { against: against.to_vec(), ..self }
    }
}

/// How many other classes [`closest`] looks at.
const CLOSEST: usize = 3;

/// Where the backward pass begins: a node that the scores are computed from, and the target's derivative there.
#[derive(Clone, Copy)]
pub struct Begin {
    /// The node: the logits, or the probabilities.
    pub node: NodeId,
    /// The derivative, `[maps,classes,1,1]`.
    pub seed: NodeId,
}

/// Appends the target's derivative. `seed` is 1 at the class of each map, and `is_sigmoid` says what makes a probability of a
/// logit.
///
/// # Errors
/// [`GraphError::Shape`] if the operands do not fit.
pub fn begin(
    graph: &mut Graph,
    target: &Target,
    logits: NodeId,
    seed: NodeId,
    is_sigmoid: bool,
) -> Result<Begin, GraphError> {
    let classes = graph.shape(logits)[1];
    let (mut seed, Target { with, against, .. }) = (seed, target);
    if !(with.is_empty() && against.is_empty()) {
        let own = 1.0 / (with.len() + 1) as f32;
        let mut shares = vec![0.0; classes];
        with.iter().for_each(|class| shares[*class] += own);
        against.iter().for_each(|class| shares[*class] -= 1.0 / against.len() as f32);
        let name = format!("{classes} classes with {with:?} against {against:?}");
        let values = graph.param(Param::new(name, vec![classes], shares.into()));
        let others = graph.push(Op::Constant { values, shape: [classes, 1, 1] }, &[])?;
        if own < 1.0 {
            seed = graph.scaled(seed, own, 0.0)?;
        }
        seed = graph.push(Op::Broadcast(Arithmetic::Add), &[seed, others])?;
    }
    let node = number(graph, target.score, logits, is_sigmoid)?;
    let of_logits = seed;
    if target.score.is_logarithm() && (is_sigmoid || target.against.is_empty()) {
        let p = number(graph, Score::Probability, logits, is_sigmoid)?;
        seed = if is_sigmoid {
            // d ln σ(y) / dy = 1 − σ(y)
            let others = graph.scaled(p, -1.0, 1.0)?;
            graph.push(Op::Broadcast(Arithmetic::Multiply), &[seed, others])?
        } else {
            // d ln p_c / dy = one-hot − p. A contrast of two logarithms is that of the logits.
            let less = graph.scaled(p, -1.0, 0.0)?;
            graph.push(Op::Broadcast(Arithmetic::Add), &[seed, less])?
        };
    }
    if target.score == Score::Rest {
        seed = graph.push(Op::Add, &[seed, of_logits])?;
    }
    if target.negative {
        seed = graph.scaled(seed, -1.0, 0.0)?;
    }
    Ok(Begin { node, seed })
}

/// Appends the derivative of what tells a class `c` from the three classes `i` whose logits `y` are closest to its own:
/// `T = Σ_i q_i (y_c − y_i)`, where `q` is the softmax over these three. It is pytorch-grad-cam's `FinerWeightedTarget` but for
/// the 1e-9 that it adds to the sum of the three probabilities. `dT / dy_j = [j = c] + q_j (y_c − y_j − T − 1)`.
///
/// # Errors
/// [`GraphError::Shape`] if there are no other classes.
pub fn closest(graph: &mut Graph, logits: NodeId, seed: NodeId) -> Result<Begin, GraphError> {
    let [_, classes, ..] = graph.shape(logits);
    if classes < 2 {
        return Err(GraphError::no_operands("a comparison with other classes"));
    }
    let multiply = Op::Broadcast(Arithmetic::Multiply);
    // y_c − y_j for all j, and the classes in the order of its magnitude. The first one is made to be c.
    let own = graph.push(Op::WeightedSum(Term::Product), &[logits, seed])?;
    let own = graph.repeated(own, [classes, 1, 1])?;
    let less = graph.scaled(logits, -1.0, 0.0)?;
    let lead = graph.push(Op::Broadcast(Arithmetic::Add), &[own, less])?;
    let distance = graph.push(Op::Activate(Activation::Abs), &[lead])?;
    let nearness = graph.scaled(distance, -1.0, 0.0)?;
    let nearness = graph.push(Op::Add, &[nearness, seed])?;
    let ranks = (CLOSEST + 1).min(classes);
    let asked = graph.push(Op::Slice { start: 0, channels: ranks }, &[nearness])?;
    let next = graph.scaled(asked, 0.0, -1.0)?;
    let next = graph.push(Op::Unpack, &[next])?;
    let ranked = graph.push(Op::Select, &[nearness, next])?;
    let rows = graph.push(Op::Seed { classes, requests: ranks, maps: ranks }, &[ranked])?;
    let columns = graph.push(Op::Columns { count: ranks }, &[rows])?;
    let kept = Digit { extent: classes, from: Some((0, 1)), to: Some((0, 1)) };
    let summed = Digit { extent: ranks - 1, from: Some((2, 1)), to: None };
    let but_first = Rearrange {
        from: Side { extents: [classes, 1, ranks], start: [0, 0, 1] },
        to: Side::whole([classes, 1, 1]),
        digits: [kept, summed].into_iter().filter(|digit| digit.extent > 1).collect(),
    };
    let others = graph.rearrange(&but_first, columns)?;
    // q: for the other classes the softmax is made 0.
    let low = graph.scaled(others, 1e9, -1e9)?;
    let low = graph.push(Op::Broadcast(Arithmetic::Add), &[low, logits])?;
    let q = softmax(graph, low)?;
    // T
    let weighted = graph.push(multiply.clone(), &[q, lead])?;
    let difference = graph.summed(weighted)?;
    let less = graph.scaled(difference, -1.0, -1.0)?;
    let beyond = graph.push(Op::Broadcast(Arithmetic::Add), &[lead, less])?;
    let of_others = graph.push(multiply, &[q, beyond])?;
    Ok(Begin { node: logits, seed: graph.push(Op::Add, &[seed, of_others])? })
}

/// The numbers of all classes from which a target's backward pass begins: the logits, or the probabilities.
///
/// # Errors
/// [`GraphError::Shape`] if there are too many classes.
pub fn number(graph: &mut Graph, score: Score, logits: NodeId, is_sigmoid: bool) -> Result<NodeId, GraphError> {
    match score {
        Score::Probability if is_sigmoid => graph.push(Op::Activate(Activation::Sigmoid), &[logits]),
        Score::Probability => softmax(graph, logits),
        Score::Logit | Score::LogProbability | Score::Rest => Ok(logits),
    }
}

/// The softmax over channels. The operation's own is over pixels.
///
/// # Errors
/// [`GraphError::Shape`] if there are too many channels.
pub fn softmax(graph: &mut Graph, x: NodeId) -> Result<NodeId, GraphError> {
    let c = graph.shape(x)[1];
    let moves = |from: usize, to: usize| {
        let side = |axis: usize| Side::whole(if axis == 0 { [c, 1, 1] } else { [1, 1, c] });
        let digits = vec![Digit { extent: c, from: Some((from, 1)), to: Some((to, 1)) }];
        Rearrange { from: side(from), to: side(to), digits: if c > 1 { digits } else { vec![] } }
    };
    let across = graph.rearrange(&moves(0, 2), x)?;
    let p = graph.push(Op::Softmax, &[across])?;
    graph.rearrange(&moves(2, 0), p)
}
