//! How photos are explained from the command line: methods, targets, smoother maps, other libraries.

#[path = "common/place.rs"]
mod place;

use image::RgbImage;
use serde_json::json;

use place::{Place, json, worst};

/// Several methods in one run, with their names in those of the overlays; other numbers, and other scalings.
#[test]
fn methods_and_targets() {
    let place = Place::with(&["chelsea.png"]);
    let methods = "--method gradcam --method eigencam --method gradcam --method saliency";
    let (_, line, told) = place.run(&format!("explain chelsea.png --json -o out/ --top 2 {methods}"));
    assert_eq!(told, "gradcam: eigencam shows the same for all classes\n");
    let line = json(&line).remove(0);
    assert_eq!((&line["methods"], &line["layer"]), (&json!(["gradcam", "eigencam", "saliency"]), &json!("bn2")));
    let files: Vec<&str> =
        line["maps"].as_array().unwrap().iter().map(|map| map["overlay"].as_str().unwrap()).collect();
    let methods_of =
        |class: &str| ["gradcam", "eigencam", "saliency"].map(|method| format!("out/chelsea-{class}-{method}.png"));
    assert_eq!(files, [methods_of("1-tiger-cat"), methods_of("2-egyptian-cat")].concat());
    let pictures: Vec<RgbImage> = files.iter().map(|file| place.picture(file)).collect();
    // Eigen-CAM is the same for all classes; the others differ.
    let apart = |a: usize, b: usize| worst(&pictures[a], &pictures[b]);
    assert!(apart(1, 4) == 0.0 && apart(0, 3) > 1.0 && apart(0, 1) > 16.0 && apart(0, 2) > 16.0);
    std::fs::remove_file(place.path("out/chelsea-2-egyptian-cat-saliency.png")).unwrap();
    let (_, _, told) = place.run(&format!("explain chelsea.png -o out/ --top 2 {methods} --skip-existing"));
    assert!(!told.contains("left out"), "an overlay is missing, so the photo is explained again: {told}");
    let (_, _, told) = place.run(&format!("explain chelsea.png -o out/ --top 2 {methods} --skip-existing"));
    assert!(told.contains("left out 1 of 1 photos"), "{told}");

    // The raw values of the negative are those of the class, with the other sign.
    let raw = |more: &str| {
        place.does(&format!("explain chelsea.png --normalise none --save-tensors t.safetensors {more}"));
        place.tensors("t.safetensors")["heatmap"].2.clone()
    };
    let (own, negative) = (raw(""), raw("--negative"));
    let greatest = own.iter().fold(0.0, |m: f32, v| m.max(*v));
    assert!(greatest > 0.0 && own.iter().zip(&negative).all(|(a, b)| (a + b).abs() < 1e-4 * greatest));
    let signed = |more: &str| {
        place.does(&format!("explain chelsea.png --normalise signed --save-tensors t.safetensors {more}"));
        place.tensors("t.safetensors")["heatmap"].2.clone()
    };
    let contrast = signed("--against tabby");
    assert!(
        contrast.iter().any(|v| *v < -0.1)
            && contrast.iter().any(|v| *v > 0.5)
            && contrast.iter().all(|v| v.abs() <= 1.0)
    );
}

/// A photo is most similar to itself, and then explains nothing: at its greatest value the cosine has no slope.
#[test]
fn similarities() {
    let place = Place::with(&["chelsea.png", "coffee.png"]);
    let similarity = |photo: &str| {
        let line = json(&place.does(&format!("explain {photo} --similar-to chelsea.png --json"))).remove(0);
        assert_eq!(line["similar_to"], "chelsea.png");
        line["maps"][0]["similarity"].as_f64().unwrap()
    };
    let (own, other) = (similarity("chelsea.png"), similarity("coffee.png"));
    assert!((own - 1.0).abs() < 1e-5 && (-1.0..0.9).contains(&other), "{own} {other}");
    let told = place.does("explain chelsea.png --similar-to chelsea.png -o same.png");
    assert!(told.contains("(the map is zero everywhere)"), "{told}");
    let told = place.does("explain coffee.png --similar-to chelsea.png --method layercam -o out.png");
    assert!(told.contains("similar to chelsea.png  → out.png"), "{told}");
    assert!(worst(&place.picture("out.png"), &place.picture("coffee.png")) > 64.0);
}

/// Options that change a map do, and those that only scale it keep its place.
#[test]
fn options_change_the_map() {
    let place = Place::with(&["chelsea.png"]);
    let map = |more: &str| {
        place.does(&format!("explain chelsea.png --save-tensors t.safetensors {more}"));
        place.tensors("t.safetensors")["heatmap"].2.clone()
    };
    let usual = map("");
    for more in [
        "--aug-smooth",
        "--aug-smooth --method finercam",
        "--aug-smooth --method fullgrad",
        "--aug-smooth --method integrated-gradients --samples 2",
        "--aug-smooth --method occlusion --patch 112",
        "--eigen-smooth",
        "--with tabby",
        "--method occlusion --patch 112",
        "--method rise --samples 32",
        "--method rise --samples 32 --seed 1",
        "--method scorecam --channels 8",
        "--compat torchcam",
        "--compat captum",
        "--compat tf-keras-vis",
    ] {
        assert!(worst(&usual, &map(more)) > 0.01, "{more} changes nothing");
    }
    assert!(worst(&map("--method rise --samples 32"), &map("--method rise --samples 32 --seed 1")) > 0.01);
    assert_eq!(map("--method rise --samples 32"), map("--method rise --samples 32"));
    place.does("explain chelsea.png --json --method cam --method saliency");
    // pytorch-grad-cam's map is the usual one. Its overlay is brighter.
    assert_eq!(usual, map("--compat pytorch-grad-cam"));
    let picture = |more: &str| -> RgbImage {
        place.does(&format!("explain chelsea.png -o out.png {more}"));
        place.picture("out.png")
    };
    let greatest = |picture: &RgbImage| picture.as_raw().iter().copied().max();
    let (dark, bright) = (picture("--alpha 0.9"), picture("--alpha 0.9 --compat pytorch-grad-cam"));
    assert_eq!(greatest(&bright), Some(255));
    assert!(
        greatest(&dark) < Some(255)
            && dark.as_raw().iter().zip(bright.as_raw()).all(|(a, b)| u16::from(*b) + 1 >= u16::from(*a))
    );
}

#[test]
fn requests_that_make_no_sense() {
    let place = Place::with(&["chelsea.png"]);
    let table = "
        explain chelsea.png --method saliency --layer bn2 => saliency looks at the pixels|leave --layer out
        explain chelsea.png --method guided-backprop => guided-backprop|this network has none
        explain chelsea.png --method scorecam --target log-probability => scorecam compares scores; let --target be
        explain chelsea.png --normalise none => raw values cannot be drawn
        explain chelsea.png --normalise most => possible values
        explain chelsea.png --target score => possible values
        explain chelsea.png --against dog-cat => unknown class
        explain chelsea.png --noise nan => --noise is NaN
        explain chelsea.png --samples 0 => --samples
        explain chelsea.png --method smoothgrad --samples 2000 => smoothgrad takes at most 1000 samples
        explain chelsea.png --channels 4 => --channels is for scorecam, ablationcam; leave it out
        explain chelsea.png --noise 0.2 --method rise => --noise is for smoothgradcam++
        explain chelsea.png --method saliency --tap pre => only layers have an activation
        explain chelsea.png --method refinecam => refinecam multiplies the maps of several layers
        explain chelsea.png --method cam --layer blocks.4 => cam needs a layer that only a global mean and a linear layer follow
        explain chelsea.png --method finercam --negative => finercam has its own target
        explain chelsea.png --method saliency --eigen-smooth => saliency adds up no channels of a layer
        explain chelsea.png --method eigencam --eigen-smooth => eigencam adds up no channels of a layer
        explain chelsea.png --method eigencam --negative => eigencam shows the same whatever is explained
        explain chelsea.png --method saliency --negative => saliency is the same for the negative
        explain chelsea.png --method vargrad --noise 0 => vargrad averages over noise, and there is none
        explain chelsea.png --method kpca-cam --layer bn1 => kpca-cam takes at most 1024 pixels|name a later one
        explain chelsea.png --class tabby --with tabby => class 281 is explained, so leave it out
        explain chelsea.png --against tabby --against tabby => class 281 is named twice
        explain chelsea.png --layer bn2 --layer bn2 => layer 'bn2' is named twice
        explain chelsea.png --tap pre --layer blocks.4 => layer 'blocks.4' ends in no activation
        explain chelsea.png --with dog-cat => unknown class
        explain chelsea.png --similar-to nowhere.png => nowhere.png
        explain chelsea.png --similar-to chelsea.png --class tabby => cannot be used with
        explain chelsea.png --similar-to chelsea.png --method cam => cam needs class scores
        explain chelsea.png --compat keras => possible values
        explain chelsea.png --compat torchcam --method hirescam => torchcam's hirescam is not followed
        explain chelsea.png --compat torchcam --aug-smooth => torchcam has no smoothing
        explain chelsea.png --compat torchcam --normalise max => cannot be used with
        explain chelsea.png --compat captum -o out.png => captum does not scale maps
        explain chelsea.png --compat tf-keras-vis --layer blocks.4 --layer blocks.5 => one layer at a time; name one
        explain chelsea.png --box 0,0,1,1 => leave --box out
        explain chelsea.png --box 0,0,2,1 => not left < right";
    place.refuses(2, table);
}
