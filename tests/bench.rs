//! `gradcam bench` in every form, `--compare`, and the probe's figures in `gradcam devices`.

#[path = "common/place.rs"]
#[allow(dead_code)]
mod place;

use place::{Place, json};
use serde_json::{Value, json};

/// A network and an input size for which a run takes milliseconds.
const SMALL: &str = "bench squeezenet1_1 --size 64x64 --runs 1";

fn array(text: &str) -> Vec<Value> {
    json(text).remove(0).as_array().unwrap().clone()
}

fn numbers(row: &Value, names: &[&str]) -> Vec<f64> {
    names.iter().map(|name| row[name].as_f64().unwrap_or_else(|| panic!("{name} in {row}"))).collect()
}

/// One row per combination, in the order of the arguments; repeated values count once.
#[test]
fn combinations() {
    let place = Place::with(&[]);
    let axes = "--size 64x96 --layer features.7 --layer features --batch 2 --batch 1 --batch 2";
    let axes = format!("{axes} --precision f32 --precision f16-weights --variant textures --variant textures");
    let rows = array(&place.does(&format!("{SMALL} {axes} --json")));
    let keys = |row: &Value| {
        let number = |name: &str| row[name].as_u64().unwrap();
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        (text("precision"), text("layer"), number("height"), number("width"), number("batch"))
    };
    let mut expected = vec![];
    for precision in ["f32", "f16-weights"] {
        for layer in ["features.7", "features"] {
            for width in [64, 96] {
                expected.extend([2, 1].map(|batch| (precision.to_owned(), layer.to_owned(), 64, width, batch)));
            }
        }
    }
    assert_eq!(rows.iter().map(keys).collect::<Vec<_>>(), expected);
    for row in &rows {
        assert!(row["variant"] == "textures" && row["method"] == "gradcam" && row["error"].is_null(), "{row}");
        let [least, median, most] = numbers(row, &["ms_per_image_p25", "ms_per_image", "ms_per_image_p75"])[..] else {
            unreachable!()
        };
        assert!(0.0 < least && least <= median && median <= most, "{row}");
        assert!(numbers(row, &["runs", "warmup_runs"]).iter().all(|runs| *runs >= 1.0), "{row}");
    }
    // An earlier layer has a longer backward pass. Half precision does not change the multiply-adds of the forward
    // pass.
    let work = |i: usize| rows[i]["multiply_adds"].as_u64().unwrap();
    assert!(work(0) > work(4) && work(0) == work(8) && work(0) == work(1), "{rows:?}");
}

/// The stages add up to the run, and the network takes most of it.
#[test]
fn stages_add_up() {
    let place = Place::with(&[]);
    let row = array(&place.does("bench squeezenet1_1 --size 224x224 --json --kernels")).remove(0);
    let stages = ["upload", "preprocess", "forward", "backward", "tail", "readback"];
    let stages = numbers(&row["stages"], &stages);
    assert!(stages.iter().all(|ms| *ms >= 0.0) && row["stages"].as_object().unwrap().len() == stages.len(), "{row}");
    let [all, forward] = [stages.iter().sum::<f64>(), stages[2]];
    assert!(forward > 0.5 * all && stages[3] > 0.0 && stages[4] > 0.0, "{row}");
    assert!((all / row["ms_per_image"].as_f64().unwrap() - 1.0).abs() < 1e-9, "{row}");
    let of_layers = |stage: &str| row["layers"].as_array().unwrap().iter().filter(|l| l["stage"] == stage).count();
    assert!(of_layers("forward") > 20 && of_layers("backward") > 0 && of_layers("tail") > 0, "{row}");
    let [gflops, peak, share] = numbers(&row, &["gflops", "peak_gflops", "peak_share"])[..] else { unreachable!() };
    assert!((gflops / peak / share - 1.0).abs() < 1e-9, "{row}");
}

/// The other forms contain what JSON contains. Without drivers there are no stages.
#[test]
fn forms() {
    let place = Place::with(&[]);
    let text = place.does(&format!("{SMALL} --batch 1 --batch 2"));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("squeezenet1_1, layer features, gradcam, 64×64, f32, "), "{text}");
    let title = lines.iter().position(|l| l.starts_with("batch  ms/image ")).unwrap();
    let batch = |line: usize| lines[line].split_whitespace().next().unwrap();
    assert_eq!([batch(title + 1), batch(title + 2)], ["1", "2"], "{text}");
    assert!(text.contains("\nStages, milliseconds an image: ") && text.contains("  forward  "), "{text}");

    let text = place.does(&format!("{SMALL} --markdown"));
    assert!(text.contains("\n| ms/image | p25–p75 | images/s |") && text.contains("\n| ---: | ---: |"), "{text}");

    let text = place.does(&format!("{SMALL} --csv --device cpu --html page.html"));
    let lines: Vec<Vec<&str>> = text.lines().map(|l| l.split(',').collect()).collect();
    assert_eq!((lines.len(), lines[0].len()), (2, lines[1].len()), "{text}");
    let cell = |name: &str| lines[1][lines[0].iter().position(|n| *n == name).unwrap()];
    assert_eq!(
        [cell("model"), cell("height"), cell("backend"), cell("software")],
        ["squeezenet1_1", "64", "cpu", "true"]
    );
    assert!(cell("ms_per_image").parse::<f64>().unwrap() > 0.0 && cell("stages_forward").is_empty(), "{text}");
    let page = std::fs::read_to_string(place.path("page.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n") && page.contains("<rect "), "{page}");

    place.write("R&D.safetensors", include_bytes!("../weights/efficientnet_lite0.safetensors"));
    place.does(&format!("{SMALL} R&D.safetensors --html page.html"));
    let page = std::fs::read_to_string(place.path("page.html")).unwrap();
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    assert!(page.contains("R&amp;D.safetensors, bn2") && !page.contains("R&D"), "{page}");
    assert!(page.contains("squeezenet1_1, features") && page.contains("<title>forward "), "{page}");
    // The page loads nothing from outside.
    assert!(["http:", "https:", "src=", "href=", "url("].iter().all(|outside| !page.contains(outside)), "{page}");
}

/// A failure is one row among others, and is reported at the end.
#[test]
fn failures_are_rows() {
    let place = Place::with(&[]);
    // In buffers, a piece of memory has at most 128 MiB. One image's first layer needs a quarter of that here.
    let bench = format!("{SMALL} --backend vulkan --variant buffers --batch 1024 --batch 1 --json");
    let (code, out, err) = place.run(&bench);
    let rows = array(&out);
    assert_eq!((code, rows.len(), err.lines().count()), (Some(1), 2, 1), "{err}");
    assert!(err.contains("squeezenet1_1, features, gradcam, 64×64, batch 1024, ") && err.contains("MiB"), "{err}");
    assert!(rows[0]["error"].as_str().unwrap().contains("MiB") && rows[0]["ms_per_image"].is_null(), "{out}");
    assert!(rows[0]["batch"] == 1024 && rows[0]["adapter"] == rows[1]["adapter"], "{out}");
    assert!(rows[1]["error"].is_null() && rows[1]["ms_per_image"].as_f64().unwrap() > 0.0, "{out}");
    let (code, out, err) =
        place.run(&format!("{SMALL} --batch 1 --batch 2 --timeout 0.00001 --variant buffers --json"));
    let told = array(&out).iter().filter(|r| r["error"].as_str().unwrap().contains("within 0.00001 s")).count();
    assert_eq!((code, told, err.lines().count()), (Some(1), 2, 2), "{err}");
    place.refuses(
        2,
        "bench squeezenet1_1 --size 8x8 => input
         bench --size 64x => --size|HxW
         bench --size 0x64 => --size
         bench squeezenet1_1 resnet5000 => resnet5000|gradcam models
         bench --method nonsense => nonsense|gradcam explain --help
         bench --variant all --variant texture => texture|textures-subgroup
         bench --all --device 0 => --all|--device
         bench --json --csv => --json|--csv
         bench --compare a.json => --compare
         bench resnet18 --compare a.json b.json => --compare
         bench --compare a.json b.json --html x.html => --html
         bench --compare a.json b.json => a.json|cannot be read",
    );
}

/// A row as `--json` prints it.
fn row(model: &str, batch: usize, ms: [f64; 3], runs: usize) -> Value {
    json!({
        "model": model, "method": "gradcam", "layer": "layer4", "height": 224, "width": 224, "batch": batch,
        "precision": "f32", "backend": "vulkan", "adapter": "card", "driver": "1", "software": false,
        "variant": "buffers", "images_per_second": 1e3 / ms[1], "ms_per_image_p25": ms[0], "ms_per_image": ms[1],
        "ms_per_image_p75": ms[2], "cpu_ms_per_image": 1.0, "cpu_ms_per_image_p25": 1.0, "cpu_ms_per_image_p75": 1.0, "runs": runs, "first_run_ms": 9.0, "submissions": 1,
        "readbacks": 1, "readback_bytes": 64, "gpu_bytes": 64
    })
}

#[test]
fn comparisons() {
    let place = Place::with(&[]);
    let write = |name: &str, rows: &[Value]| place.write(name, Value::from(rows).to_string());
    let steady = [9.9, 10.0, 10.2];
    let failed = json!({
        "model": "f", "method": "gradcam", "layer": "layer4", "height": 224, "width": 224, "batch": 1,
        "precision": "f32", "backend": "vulkan", "adapter": "card", "driver": "1", "software": false,
        "variant": "buffers", "error": "no memory"
    });
    let old = {
        let mut row = row("old", 1, steady, 10);
        for name in ["runs", "ms_per_image_p25", "ms_per_image_p75"] {
            row.as_object_mut().unwrap().remove(name);
        }
        row
    };
    // Differences: 12 % with spreads that do not overlap, 12 % with spreads that do, and 4 %, which is always too
    // small.
    let cases = [
        ("slower", [11.1, 11.2, 11.4], 10),
        ("equal", [10.1, 11.2, 11.4], 10),
        ("equal", [10.3, 10.4, 10.5], 10),
        ("faster", [8.7, 8.8, 9.8], 10),
        ("equal", [8.7, 8.8, 10.0], 10),
        ("too-few-runs", [20.0, 20.0, 20.0], 4),
    ];
    let base: Vec<Value> = (0..).zip(&cases).map(|(i, _)| row("m", i, steady, 10)).collect();
    let other: Vec<Value> = (0..).zip(&cases).map(|(i, (_, ms, runs))| row("m", i, *ms, *runs)).collect();
    write("a.json", &[&base[..], &[old.clone(), failed.clone(), row("gone", 1, steady, 10)]].concat());
    write("b.json", &[&[row("new", 1, steady, 10)], &other[..], &[row("f", 1, steady, 10), old]].concat());
    let found = json(&place.does("bench --compare a.json b.json --json")).remove(0);
    let pairs = found["compared"].as_array().unwrap();
    let verdicts: Vec<&str> = pairs.iter().map(|pair| pair["verdict"].as_str().unwrap()).collect();
    let expected = cases.map(|(verdict, ..)| verdict).into_iter().chain(["too-few-runs", "failed"]);
    assert_eq!(verdicts, expected.collect::<Vec<_>>());
    assert!((pairs[0]["change"].as_f64().unwrap() - 0.12).abs() < 1e-9 && pairs[0]["to"] == json!([11.1, 11.2, 11.4]));
    let alone: Vec<_> = found["unmatched"].as_array().unwrap().iter().map(|l| (&l["only_in"], &l["model"])).collect();
    assert_eq!(alone, [(&json!("a.json"), &json!("gone")), (&json!("b.json"), &json!("new"))]);

    let text = place.does("bench --compare a.json b.json a.json");
    let line = text.lines().find(|line| line.contains("+12.0 %")).unwrap();
    assert!(line.contains("10.0 (9.90–10.2)") && line.ends_with("slower"), "{text}");
    assert!(text.contains("2 of 8 differ by more than the noise") && text.contains("0 of 9 differ"), "{text}");
    assert!(text.contains("only in b.json, not in a.json: new, "), "{text}");
    assert!(place.does("bench --compare a.json b.json --markdown").contains("| slower |"));

    // Of several runs of one side, the fastest counts. Its spread grows if the next one does not reproduce it.
    write("disturbed.json", &[row("m", 0, [14.0, 15.0, 16.0], 10)]);
    write("quiet.json", &[row("m", 0, [9.9, 10.1, 10.3], 10)]);
    let verdict = |sides: &str| {
        let found = json(&place.does(&format!("bench --compare a.json {sides} --json"))).remove(0);
        found["compared"][0]["verdict"].clone()
    };
    assert_eq!(verdict("disturbed.json"), "slower");
    assert_eq!(verdict("disturbed.json,quiet.json"), "equal");
    write("slow.json", &[row("m", 0, [11.9, 12.0, 12.1], 10)]);
    write("base.json", &[row("m", 0, [9.9, 10.0, 10.2], 10)]);
    let verdict = |sides: &str| {
        let found = json(&place.does(&format!("bench --compare {sides} --json"))).remove(0);
        (found["compared"][0]["verdict"].clone(), found["compared"][0]["from"].clone())
    };
    assert_eq!(verdict("disturbed.json,base.json slow.json"), (json!("equal"), json!([5.0, 10.0, 15.0])));
    assert_eq!(verdict("slow.json,disturbed.json base.json").0, "equal");
    assert_eq!(verdict("base.json,disturbed.json,quiet.json slow.json"), (json!("slower"), json!([9.9, 10.0, 10.2])));
    // With a software driver, CPU time counts.
    let software = |[cpu, wall]: [f64; 2]| {
        let mut row = row("m", 0, [wall; 3], 10);
        row["software"] = json!(true);
        for of in ["", "_p25", "_p75"] {
            row[format!("cpu_ms_per_image{of}")] = json!(cpu);
        }
        row
    };
    write("one.json", &[software([10.0, 10.0])]);
    write("busy.json", &[software([10.2, 30.0])]);
    write("more.json", &[software([12.0, 10.0])]);
    assert_eq!(verdict("one.json busy.json").0, "equal");
    assert_eq!(verdict("one.json more.json"), (json!("slower"), json!([10.0, 10.0, 10.0])));
    place.write("torn.json", "[{\"model\"");
    place.refuses(2, "bench --compare a.json torn.json => torn.json|gradcam bench --json");
}

/// The probe's measurements are stored, shown, and measured again on request.
#[test]
fn probes_are_shown() {
    let place = Place::with(&[]);
    let devices = |args: &str| {
        let output = place.command(args).env("GRADCAM_CACHE", place.path("cache")).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(devices("devices").contains("variant not measured yet"));
    assert!(array(&devices("devices --json")).iter().all(|d| d["variant"].is_null()));
    let probed = array(&devices("devices --probe --json"));
    let (remembered, text) = (array(&devices("devices --json")), devices("devices"));
    for (device, again) in probed.iter().zip(&remembered) {
        let (variant, tried) = (device["variant"].as_str().unwrap(), device["probe_ms"].as_object().unwrap());
        let quickest = tried.iter().min_by(|a, b| a.1.as_f64().unwrap().total_cmp(&b.1.as_f64().unwrap()));
        assert!(tried.len() > 1 && quickest.unwrap().0 == variant && again["variant"] == variant, "{device}");
        let close = |(name, ms): (&String, &Value)| {
            (ms.as_f64().unwrap() / again["probe_ms"][name].as_f64().unwrap() - 1.0).abs() < 1e-9
        };
        assert!(tried.iter().all(close), "{device} {again}");
        assert!(text.contains(&format!("variant {variant}, by the probe (ms): {variant} ")), "{text}");
    }
    // Older files have no figures.
    let file = std::fs::read_to_string(place.path("cache/devices.json")).unwrap();
    let mut old: Value = serde_json::from_str(&file).unwrap();
    old.as_object_mut().unwrap().values_mut().for_each(|v| drop(v.as_object_mut().unwrap().remove("probed")));
    place.write("cache/devices.json", old.to_string());
    let old = array(&devices("devices --json"));
    assert!(
        old.iter().zip(&probed).all(|(a, b)| a["variant"] == b["variant"] && a["probe_ms"] == json!({})),
        "{old:?}"
    );
}
