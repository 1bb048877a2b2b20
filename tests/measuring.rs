//! `gradcam bench`, `gradcam tune`, `--timing` and `--precision`, and the cache of device measurements.

#[path = "common/place.rs"]
#[allow(dead_code)]
mod place;

use place::{Place, json};
use serde_json::Value;

/// The rows of a benchmark.
fn rows(place: &Place, args: &str) -> Vec<Value> {
    json(&place.does(args)).remove(0).as_array().unwrap().clone()
}

/// Runs the program with a cache folder inside the place.
fn with_cache(place: &Place, args: &str) -> String {
    let output = place.command(args).env("GRADCAM_CACHE", place.path("cache")).output().unwrap();
    assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bench_rows() {
    let place = Place::with(&[]);
    let rows = rows(&place, "bench efficientnet_lite0 squeezenet1_1 --batch 1 --batch 2 --runs 2 --json --kernels");
    assert_eq!(rows.len(), 4);
    for (row, batch) in rows.iter().zip([1, 2, 1, 2]) {
        for text in ["model", "method", "layer", "precision", "backend", "adapter", "driver", "variant"] {
            assert!(row[text].as_str().is_some_and(|t| !t.is_empty()), "{text} in {row}");
        }
        for number in ["images_per_second", "ms_per_image", "cpu_ms_per_image", "first_run_ms", "peak_gflops"] {
            assert!(row[number].as_f64().is_some_and(|v| v > 0.0), "{number} in {row}");
        }
        let count = |name: &str| row[name].as_u64().unwrap();
        assert_eq!([count("height"), count("width"), count("batch")], [224, 224, batch]);
        assert_eq!([count("submissions"), count("readbacks")], [1, 1]);
        assert_eq!(count("readback_bytes"), batch * (224 * 224 * 4 + 16 + 16));
        assert!(row["software"].is_boolean() && count("gpu_bytes") > 1 << 20);
        let product = row["ms_per_image"].as_f64().unwrap() * row["images_per_second"].as_f64().unwrap();
        assert!((product - 1e3).abs() < 1e-6);
    }
    // The layers' multiply-adds sum up to the network's.
    let models = json(&place.does("models --json"));
    let listed = models[0]["architectures"].as_array().unwrap().iter().find(|a| a["name"] == "tf_efficientnet_lite0");
    let layers = rows[0]["layers"].as_array().unwrap();
    let sum: u64 = layers.iter().map(|l| l["multiply_adds"].as_u64().unwrap()).sum();
    assert_eq!(sum, listed.unwrap()["multiply_adds"].as_u64().unwrap());
    assert!(layers.iter().all(|l| l["seconds"].as_f64().unwrap() > 0.0));
    assert!(rows[2]["layers"].as_array().unwrap().iter().any(|l| l["name"] == "features.12.expand3x3"));
}

#[test]
fn bench_and_tune_refuse() {
    let place = Place::with(&[]);
    place.refuses(
        2,
        "bench resnet5000 => network|resnet50|gradcam models
         bench missing.safetensors => missing.safetensors
         bench resnet18 --layer layer9 => layer9
         bench --batch 0 => --batch
         bench --variant texture => texture|textures-subgroup
         tune --device cpu => cpu
         tune --precision f16 => f32|--precision f16
         tune nonsense => nonsense
         explain --precision f8 => f8|f16-weights
         bench --device cpu --precision f16-weights => --precision|cpu
         explain photo.png --device cpu --variant buffers => --variant|cpu",
    );
}

/// The first process measures the device, and later ones use the cache. A damaged cache counts as none.
#[test]
fn devices_are_remembered() {
    let place = Place::with(&[]);
    let bench = "bench --runs 1 --json";
    let variant = |out: &str| json(out)[0][0]["variant"].as_str().unwrap().to_owned();
    let file = "cache/devices.json";
    // With a named variant nothing is measured.
    with_cache(&place, &format!("{bench} --variant buffers"));
    assert!(!place.path(file).exists());
    let found = variant(&with_cache(&place, bench));
    let remembered = std::fs::read_to_string(place.path(file)).unwrap();
    assert!(remembered.contains(&format!("\"{found}\"")), "{remembered}");
    let other = if found == "buffers" { "textures" } else { "buffers" };
    place.write(file, remembered.replace(&found, other));
    assert_eq!(variant(&with_cache(&place, bench)), other);
    assert_eq!(variant(&with_cache(&place, &format!("{bench} --variant {found}"))), found);
    for damage in ["", "{", "{\"a\": 1}", &remembered.replace(&found, "magic")] {
        place.write(file, damage);
        variant(&with_cache(&place, bench));
        let again = std::fs::read_to_string(place.path(file)).unwrap();
        assert!(again.contains("\"profile\": \"") && !again.contains("magic"), "{again}");
    }
}

/// Tuned tiles are stored and used. They change results only in the last bits.
#[test]
fn tuning_is_remembered() {
    let place = Place::with(&["coffee.png"]);
    let explain = "explain coffee.png --json --save-tensors maps.safetensors --variant textures";
    with_cache(&place, explain);
    let before = place.tensors("maps.safetensors");
    let told = with_cache(&place, "tune efficientnet_lite0 --variant textures");
    assert!(told.contains("variant textures") && told.contains("shapes of products measured"), "{told}");
    let text = std::fs::read_to_string(place.path("cache/devices.json")).unwrap();
    assert!(text.contains("\"tuned\"") && text.contains("\"steps\""), "{text}");
    // A tile that no kernel has is ignored.
    let damaged = text.replace("\"blocks\": 4", "\"blocks\": 0");
    assert_ne!(damaged, text);
    place.write("cache/devices.json", damaged);
    with_cache(&place, explain);
    place.write("cache/devices.json", &text);
    with_cache(&place, explain);
    let after = place.tensors("maps.safetensors");
    assert!(place::worst(&before["logits"].2, &after["logits"].2) < 1e-4);
    assert!(place::worst(&before["heatmap"].2, &after["heatmap"].2) < 1e-4);
}

#[test]
fn timing_is_told() {
    let place = Place::with(&["coffee.png", "chelsea.png", "rocket.jpg"]);
    let (code, out, err) = place.run("explain . --timing --json --top 2");
    assert_eq!((code, out.lines().count(), err.lines().count()), (Some(0), 3, 1), "{err}");
    assert!(err.contains("photos/s") && err.contains("the device was busy"), "{err}");
    let stats = &json(&out)[0]["batch"]["stats"];
    let clock: Vec<u64> = stats["device_ns"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect();
    assert!(clock[0] < clock[1], "{stats}");
}

/// Weights as f16 take about half the memory and change logits by thousandths. So do products of f16.
#[test]
fn half_precision() {
    let place = Place::with(&["coffee.png"]);
    let precisions = [("buffers", "f16-weights"), ("textures", "f16-weights"), ("buffers-shared", "f16")];
    for (variant, precision) in precisions {
        let explain = |precision: &str| {
            let args = format!("explain coffee.png --json --save-tensors {precision}.safetensors --variant {variant}");
            let out = json(&place.does(&format!("{args} --precision {precision}")));
            let bytes = out[0]["batch"]["stats"]["gpu_bytes"].as_u64().unwrap();
            (bytes, place.tensors(&format!("{precision}.safetensors")))
        };
        let ((full, exact), (half, rounded)) = (explain("f32"), explain(precision));
        assert!(half < full - (8 << 20), "{half} of {full} bytes");
        let largest = exact["logits"].2.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        let logits = place::worst(&exact["logits"].2, &rounded["logits"].2) / f64::from(largest);
        let heatmap = place::worst(&exact["heatmap"].2, &rounded["heatmap"].2);
        println!("{variant}, {precision}: logits {logits:.1e}, heat map {heatmap:.1e}");
        assert!(logits > 0.0 && logits < 5e-3 && heatmap < 1e-2, "{variant}: {logits} {heatmap}");
    }
    place.refuses(1, "explain coffee.png --variant textures --precision f16 => f16|--variant buffers-shared");
}
