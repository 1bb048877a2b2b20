//! Other names for the tensors of an architecture, as other programs write them.
//!
//! A dialect is a list of rules from its names to those of the architectures. `{s}` stands for a number, which a rule may
//! count on from, as in `{s+1}`, and `*` for the rest of the name. A name without a rule stays.

/// A set of names.
pub struct Dialect {
    /// Whose names they are.
    pub name: &'static str,
    /// Entries of its config that would change the computation, with the only value that is followed.
    pub needs: &'static [(&'static str, &'static str)],
    rules: &'static [(&'static str, &'static str)],
}

/// The dialects that are tried, the architectures' own names first.
pub const DIALECTS: &[Dialect] = &[
    Dialect { name: "", needs: &[], rules: &[] },
    // torchvision renames these when it loads its old files.
    Dialect {
        name: "torchvision before 0.2",
        needs: &[],
        rules: &[
            ("features.denseblock{b}.denselayer{l}.norm.{i}.*", "features.denseblock{b}.denselayer{l}.norm{i}.*"),
            ("features.denseblock{b}.denselayer{l}.conv.{i}.*", "features.denseblock{b}.denselayer{l}.conv{i}.*"),
        ],
    },
    Dialect {
        name: "transformers' ResNet",
        needs: &[("hidden_act", "relu"), ("downsample_in_bottleneck", "false"), ("downsample_in_first_stage", "false")],
        rules: &[
            ("embedder.embedder.convolution.*", "conv1.*"),
            ("embedder.embedder.normalization.*", "bn1.*"),
            ("encoder.stages.{s}.layers.{l}.layer.{i}.convolution.*", "layer{s+1}.{l}.conv{i+1}.*"),
            ("encoder.stages.{s}.layers.{l}.layer.{i}.normalization.*", "layer{s+1}.{l}.bn{i+1}.*"),
            ("encoder.stages.{s}.layers.{l}.shortcut.convolution.*", "layer{s+1}.{l}.downsample.0.*"),
            ("encoder.stages.{s}.layers.{l}.shortcut.normalization.*", "layer{s+1}.{l}.downsample.1.*"),
        ],
    },
    Dialect {
        name: "transformers' RegNet",
        needs: &[("hidden_act", "relu")],
        rules: &[
            ("embedder.embedder.convolution.*", "stem.conv.*"),
            ("embedder.embedder.normalization.*", "stem.bn.*"),
            ("encoder.stages.{s}.layers.{l}.layer.3.convolution.*", "s{s+1}.b{l+1}.conv3.conv.*"),
            ("encoder.stages.{s}.layers.{l}.layer.3.normalization.*", "s{s+1}.b{l+1}.conv3.bn.*"),
            ("encoder.stages.{s}.layers.{l}.layer.2.attention.0.*", "s{s+1}.b{l+1}.se.fc1.*"),
            ("encoder.stages.{s}.layers.{l}.layer.2.attention.2.*", "s{s+1}.b{l+1}.se.fc2.*"),
            ("encoder.stages.{s}.layers.{l}.layer.{i}.convolution.*", "s{s+1}.b{l+1}.conv{i+1}.conv.*"),
            ("encoder.stages.{s}.layers.{l}.layer.{i}.normalization.*", "s{s+1}.b{l+1}.conv{i+1}.bn.*"),
            ("encoder.stages.{s}.layers.{l}.shortcut.convolution.*", "s{s+1}.b{l+1}.downsample.conv.*"),
            ("encoder.stages.{s}.layers.{l}.shortcut.normalization.*", "s{s+1}.b{l+1}.downsample.bn.*"),
        ],
    },
    Dialect {
        name: "transformers' ConvNeXt",
        needs: &[("hidden_act", "gelu")],
        rules: &[
            ("embeddings.patch_embeddings.*", "stem.0.*"),
            ("embeddings.layernorm.*", "stem.1.*"),
            ("encoder.stages.{s}.downsampling_layer.*", "stages.{s}.downsample.*"),
            ("encoder.stages.{s}.layers.{l}.dwconv.*", "stages.{s}.blocks.{l}.conv_dw.*"),
            ("encoder.stages.{s}.layers.{l}.layernorm.*", "stages.{s}.blocks.{l}.norm.*"),
            ("encoder.stages.{s}.layers.{l}.pwconv{i}.*", "stages.{s}.blocks.{l}.mlp.fc{i}.*"),
            ("encoder.stages.{s}.layers.{l}.layer_scale_parameter", "stages.{s}.blocks.{l}.gamma"),
            ("layernorm.*", "head.norm.*"),
        ],
    },
    Dialect {
        name: "ConvNeXt's authors",
        needs: &[],
        rules: &[
            ("downsample_layers.0.*", "stem.*"),
            ("downsample_layers.{s}.*", "stages.{s}.downsample.*"),
            ("stages.{s}.{l}.dwconv.*", "stages.{s}.blocks.{l}.conv_dw.*"),
            ("stages.{s}.{l}.pwconv{i}.*", "stages.{s}.blocks.{l}.mlp.fc{i}.*"),
            ("stages.{s}.{l}.*", "stages.{s}.blocks.{l}.*"),
            ("norm.*", "head.norm.*"),
        ],
    },
    Dialect {
        name: "pytorch-cifar's ResNet",
        needs: &[],
        rules: &[("layer{s}.{l}.shortcut.*", "layer{s}.{l}.downsample.*")],
    },
    Dialect {
        name: "torch.nn.Sequential of a ResNet's children",
        needs: &[],
        rules: &[
            ("0.*", "conv1.*"),
            ("1.*", "bn1.*"),
            ("4.*", "layer1.*"),
            ("5.*", "layer2.*"),
            ("6.*", "layer3.*"),
            ("7.*", "layer4.*"),
            ("{n}.*", "fc.{n}.*"),
        ],
    },
    Dialect {
        name: "torch.nn.Sequential of a network's children",
        needs: &[],
        rules: &[("0.*", "features.*"), ("{n}.*", "classifier.{n}.*")],
    },
];

impl Dialect {
    /// The architectures' name for a name of this dialect.
    pub fn translate(&self, name: &str) -> String {
        self.rules.iter().find_map(|(from, to)| rewrite(name, from, to)).unwrap_or_else(|| name.to_owned())
    }
}

/// The name by a rule's right side, if its left side matches the whole name.
fn rewrite(name: &str, from: &str, to: &str) -> Option<String> {
    let (mut name, mut from) = (name, from);
    let mut numbers: Vec<(&str, usize)> = vec![];
    let rest = loop {
        let Some(at) = from.find(['{', '*']) else {
            break (name == from).then_some("")?;
        };
        name = name.strip_prefix(&from[..at])?;
        if from[at..].starts_with('*') {
            break name;
        }
        let close = at + from[at..].find('}')?;
        let digits = name.find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len());
        numbers.push((&from[at + 1..close], name[..digits].parse().ok()?));
        (name, from) = (&name[digits..], &from[close + 1..]);
    };
    let mut written = to.replace('*', rest);
    for (letter, number) in numbers {
        written = written.replace(&format!("{{{letter}}}"), &number.to_string());
        written = written.replace(&format!("{{{letter}+1}}"), &(number + 1).to_string());
    }
    Some(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_rewrite_names() {
        assert_eq!(rewrite("a.12.b.weight", "a.{i}.b.*", "x{i+1}.{i}.*").as_deref(), Some("x13.12.weight"));
        assert_eq!(rewrite("a.b", "a.b", "c").as_deref(), Some("c"));
        for wrong in ["a.x.b.weight", "a.12.c.weight", "b.12.b.weight", "a.12.b"] {
            assert_eq!(rewrite(wrong, "a.{i}.b.*", "*"), None, "{wrong}");
        }
        let named = |name: &str| DIALECTS.iter().find(|d| d.name.contains(name)).unwrap();
        let resnet = named("transformers' ResNet");
        assert_eq!(resnet.translate("encoder.stages.0.layers.2.layer.1.normalization.bias"), "layer1.2.bn2.bias");
        assert_eq!(resnet.translate("classifier.1.weight"), "classifier.1.weight");
        assert_eq!(named("authors").translate("stages.2.7.gamma"), "stages.2.blocks.7.gamma");
    }
}
