//! Class activation maps. A method is one file with its recipe, and one row in the table below.

mod ablationcam;
mod activation_map;
mod compat;
mod deconvnet;
mod eigencam;
mod eigengradcam;
mod fem;
mod finercam;
mod fullgrad;
mod fusion;
mod gradcam;
mod gradcam_elementwise;
mod gradcam_plus_plus;
mod guided_backprop;
mod guided_gradcam;
mod heatmap;
mod hirescam;
mod input_x_gradient;
mod integrated_gradients;
mod kpca_cam;
mod layercam;
mod maps;
mod method;
mod normalise;
mod occlusion;
mod plain_cam;
mod principal;
mod reciprocam;
mod refinecam;
mod rise;
mod saliency;
mod sampling;
mod scorecam;
mod seg_eigen_cam;
mod similarity;
mod simple;
mod smoothgrad;
mod smoothgrad_squared;
mod smoothgradcam_plus_plus;
mod smoothing;
mod status;
mod target;
mod vargrad;
mod xgradcam;

pub use compat::Compat;
pub use fusion::Fusion;
pub use heatmap::{Asked, Finish, heatmap};
pub use maps::Maps;
pub use method::{At, Layer, Row};
pub use normalise::Normalise;
pub use sampling::{Masked, Moment, Passes, Sampling};
pub use similarity::{Similarity, embedding, similarity};
pub use simple::spread;
pub use smoothing::Smoothing;
pub use status::Status;
pub use target::{Begin, Score, Target, begin, closest, number, softmax};

use std::str::FromStr;

use crate::error::Error;

/// Makes the table: each method with its file.
macro_rules! methods {
    ($($(#[$about:meta])* $method:ident in $file:ident,)*) => {
        /// How activations and gradients become a map: sums over channels `k` of a layer's activations `A` and the gradients `G` of
        /// the class score there.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Method {
            $($(#[$about])* $method,)*
        }

        impl Method {
            /// All methods.
            pub const ALL: &[Self] = &[$(Self::$method),*];

            /// Its row of the table.
            #[doc(hidden)] // for the tests
            pub fn row(self) -> &'static Row {
                match self {
                    $(Self::$method => &$file::ROW,)*
                }
            }
        }
    };
}

methods! {
    /// Selvaraju et al., arXiv 1610.02391: `Σ_k mean(G_k) · A_k`.
    #[default]
    GradCam in gradcam,
    /// Chattopadhay et al., arXiv 1710.11063: weights of gradients' powers.
    GradCamPlusPlus in gradcam_plus_plus,
    /// Draelos and Carin, arXiv 2011.08891: `Σ_k G_k ∘ A_k`.
    HiResCam in hirescam,
    /// pytorch-grad-cam's: `Σ_k max(G_k ∘ A_k, 0)`.
    GradCamElementWise in gradcam_elementwise,
    /// Fu et al., arXiv 2008.02312: weights of gradients times activations.
    XGradCam in xgradcam,
    /// Jiang et al., IEEE TIP 2021: `Σ_k max(G_k, 0) ∘ A_k`.
    LayerCam in layercam,
    /// Muhammad and Yeasin, arXiv 2008.00299: the first principal component of `A`, whatever the class.
    EigenCam in eigencam,
    /// The first principal component of `G ∘ A`.
    EigenGradCam in eigengradcam,
    /// Chung and Ying, 2025: the first principal component of `|G| ∘ A`.
    SegEigenCam in seg_eigen_cam,
    /// Karmani et al., arXiv 2410.00267: the first principal component of `A` under a sigmoid kernel, whatever the class.
    KpcaCam in kpca_cam,
    /// Zhou et al., arXiv 1512.04150: the classifier's weights times activations, before a global mean and a linear layer.
    Cam in plain_cam,
    /// Omeiza et al., arXiv 1908.01224: Grad-CAM++ with means over images with noise.
    SmoothGradCamPlusPlus in smoothgradcam_plus_plus,
    /// Zhang et al., arXiv 2501.11309: Grad-CAM of what tells the class from those with the closest scores.
    FinerCam in finercam,
    /// The product of what [`Method::GradCamPlusPlus`] shows at several layers.
    RefineCam in refinecam,
    /// Fuad et al., 2020: weights of rare strong activations, whatever the class.
    Fem in fem,
    /// `mean_k A_k`, whatever the class.
    ActivationMap in activation_map,
    /// Wang et al., arXiv 1910.01279: `Σ_k softmax(score of the image seen through A_k) · A_k`, without gradients.
    ScoreCam in scorecam,
    /// Desai and Ramaswamy, WACV 2020: `Σ_k (part of the score that is lost without A_k) · A_k`, without gradients.
    AblationCam in ablationcam,
    /// Byun and Lee, arXiv 2209.14074: the score that each pixel of a layer gives alone, without gradients.
    ReciproCam in reciprocam,
    /// Srinivas and Fleuret, arXiv 1905.00780: `|G ∘ b|` of the image and of all biases `b`, at the pixels.
    FullGrad in fullgrad,
    /// Simonyan et al., arXiv 1312.6034: `max_k |G_k|` at the pixels.
    Saliency in saliency,
    /// Shrikumar et al., arXiv 1605.01713: `Σ_k G_k ∘ x_k` at the pixels `x`.
    InputXGradient in input_x_gradient,
    /// Springenberg et al., arXiv 1412.6806: `max_k |G_k|` at the pixels, where ReLUs let positive gradients of positive values pass.
    GuidedBackprop in guided_backprop,
    /// Selvaraju et al., arXiv 1610.02391: guided backpropagation under Grad-CAM's heat map.
    GuidedGradCam in guided_gradcam,
    /// Zeiler and Fergus, arXiv 1311.2901: `max_k |G_k|` at the pixels, where ReLUs let positive gradients pass.
    DeconvNet in deconvnet,
    /// Sundararajan et al., arXiv 1703.01365: gradients on the way from a baseline to the pixels, times the pixels.
    IntegratedGradients in integrated_gradients,
    /// Smilkov et al., arXiv 1706.03825: `max_k |mean G_k|` at the pixels, under noise.
    SmoothGrad in smoothgrad,
    /// Hooker et al., arXiv 1806.10758: `max_k mean G_k²` at the pixels, under noise.
    SmoothGradSquared in smoothgrad_squared,
    /// Adebayo et al., arXiv 1810.03292: `max_k var G_k` at the pixels, under noise.
    VarGrad in vargrad,
    /// Zeiler and Fergus, arXiv 1311.2901: what the score loses without a square of pixels, without gradients.
    Occlusion in occlusion,
    /// Petsiuk et al., arXiv 1806.07421: the mean of random masks, weighed by the scores under them, without gradients.
    Rise in rise,
}

impl Method {
    /// Its row, or that of the library that is followed, if it has another formula.
    pub(crate) fn row_as(self, compat: Compat) -> &'static Row {
        match (self, compat) {
            (Self::GradCamPlusPlus, Compat::TorchCam) => &gradcam_plus_plus::TORCHCAM,
            (Self::GradCamPlusPlus, Compat::TfKerasVis) => &gradcam_plus_plus::TF_KERAS_VIS,
            (Self::XGradCam, Compat::TorchCam) => &xgradcam::TORCHCAM,
            _ => self.row(),
        }
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Whether it looks at the pixels and not at a layer.
    pub fn is_of_pixels(self) -> bool {
        self.parts().iter().all(|row| row.at == At::Pixels)
    }

    /// The rows of the table whose gradients it takes: its own, or those of the methods that it is made of.
    pub(crate) fn parts(self) -> Vec<&'static Row> {
        match self.row().passes {
            Passes::UnderGradCam => vec![Self::GradCam.row(), Self::GuidedBackprop.row()],
            _ => vec![self.row()],
        }
    }

    /// Whether its map depends on the class.
    pub fn is_of_class(self) -> bool {
        self.row().rule.is_some() || self.row().passes != Passes::One
    }

    /// Whether it makes a map of any layer's values and of gradients of the same shape, for tests of the recipes.
    #[doc(hidden)]
    pub fn is_of_any_layer(self) -> bool {
        match self.row().passes {
            Passes::UnderGradCam | Passes::Classifier | Passes::Noise(Moment::Powers) => false,
            Passes::Masked(masked) => matches!(masked, Masked::ThroughChannel | Masked::WithoutChannel),
            _ => true,
        }
    }
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let names = || Self::ALL.iter().map(|method| method.name());
        let found = Self::ALL.iter().find(|method| method.name() == name);
        found.copied().ok_or_else(|| Error::unknown("method", name, "gradcam explain --help", names()))
    }
}
