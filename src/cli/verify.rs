//! `gradcam verify`.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Write, stdout};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use clap::Args;
use gradcam::files::write_atomically;
use gradcam::verify::{Outcome, Run, Stage, Verification};
use gradcam::{Error, Gpu};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::args::{DeviceArgs, Precision};
use super::say::{Failure, print_json};

/// How long one case may take before its process is killed.
const PATIENCE: Duration = Duration::from_secs(60);
/// After this many dead processes, the rest of an adapter's cases is skipped.
const DEATHS: usize = 5;

/// Check a device: built-in cases, compared with plain loops on the CPU and with results of PyTorch
///
/// Every operation and kernel, whole networks and pictures, in every kernel variant. The exit code is 1 if a case
/// disagrees, and the case and the faulty shader are printed.
#[derive(Args)]
pub struct Verify {
    /// Check every adapter of --backend, or of all interfaces, and the plain loops
    #[arg(long, conflicts_with = "device")]
    all: bool,
    /// Only the cases that use this shader; may be given several times
    #[arg(long, value_name = "NAME")]
    kernel: Vec<String>,
    /// Stop at the first case that disagrees
    #[arg(long)]
    fail_fast: bool,
    /// Print an array of rows, one per variant
    #[arg(long)]
    json: bool,
    /// Write all results to a file that can be attached to a bug report
    #[arg(long, value_name = "FILE.json")]
    report: Option<PathBuf>,
    /// Run this part of the cases, from this index on, and report to the process that started this one
    #[arg(long, hide = true, num_args = 2)]
    worker: Option<Vec<usize>>,
    #[command(flatten)]
    device: DeviceArgs,
}

/// The messages of a worker, one per line. Workers are processes, because drivers may crash a process or never return.
#[derive(Serialize, Deserialize)]
enum Message {
    /// The adapter, and the runs that are left, with their indices.
    Ready {
        info: Value,
        runs: Vec<(usize, Run)>,
    },
    Done(Outcome),
}

/// The last line on a worker's stderr.
type Complaint = std::thread::JoinHandle<String>;

/// The results of an adapter.
#[derive(Serialize)]
struct Adapter {
    info: Value,
    outcomes: Vec<Outcome>,
}

/// A variant of an adapter.
#[derive(Serialize)]
struct Row<'a> {
    adapter: &'a Value,
    backend: &'a Value,
    driver: &'a Value,
    variant: &'a str,
    cases: usize,
    errors: BTreeMap<Stage, f64>,
    verdict: &'static str,
    failures: Vec<&'a Outcome>,
}

impl Verify {
    pub fn run(self) -> Result<(), Failure> {
        if self.device.precision != Precision::F32 {
            return Err(Error::Request("verify compares f32 with f32; leave --precision out".into()).into());
        }
        let known: Vec<&str> = gradcam::verify::shaders().collect();
        if let Some(unknown) = self.kernel.iter().find(|kernel| !known.contains(&kernel.as_str())) {
            let near = known.iter().find(|name| name.starts_with(unknown.as_str())).copied();
            let suggestions = near.map(str::to_owned).into_iter().collect();
            let (kind, name, list) = ("shader", unknown.clone(), "the folder shaders");
            return Err(Error::Unknown { kind, name, suggestions, list }.into());
        }
        if self.device.device.as_deref() == Some("cpu") && self.device.variant.is_some() {
            return Err(
                Error::Request("variants are the graphics devices'; leave --variant or --device out".into()).into()
            );
        }
        if let Some([part, from]) = self.worker.as_deref() {
            return self.work(*part, *from);
        }
        let mut adapters = vec![];
        for device in self.devices() {
            let found = self.ask_all(device.as_deref());
            adapters.push(match found {
                Err(Failure::Here(error)) if self.all => {
                    let nothing = Run { variant: String::new(), case: "open".into() };
                    Adapter {
                        info: json!({"name": device}),
                        outcomes: vec![Outcome::broken(nothing, error.to_string())],
                    }
                }
                found => found?,
            });
            if !self.json {
                print(&adapters[adapters.len() - 1])?;
            }
        }
        if let Some(path) = &self.report {
            let report = json!({"version": env!("CARGO_PKG_VERSION"), "system": std::env::consts::OS,
                "architecture": std::env::consts::ARCH, "adapters": adapters});
            write_atomically(path, |out| Ok(serde_json::to_writer_pretty(out, &report)?))?;
        }
        if self.json {
            print_json(&adapters.iter().flat_map(rows).collect::<Vec<_>>())?;
        }
        let agrees = adapters.iter().flat_map(|a| &a.outcomes).all(|outcome| outcome.failure.is_none());
        if agrees { Ok(()) } else { Err(Failure::Reported(1)) }
    }

    /// The devices to check, each as an index or name for `--device`.
    fn devices(&self) -> Vec<Option<String>> {
        if !self.all {
            return vec![self.device.device.clone()];
        }
        let adapters = pollster::block_on(Gpu::adapters(self.device.backend.map(Into::into)));
        let numbers = (0..adapters.len()).map(|i| Some(i.to_string()));
        numbers.chain([Some("cpu".to_owned())]).collect()
    }

    /// Runs the cases on this process's device.
    fn work(&self, part: usize, from: usize) -> Result<(), Failure> {
        let mut verification = if self.device.device.as_deref() == Some("cpu") {
            Verification::on_cpu()?
        } else {
            Verification::on_gpu(self.device.options()?)?
        };
        let uses = |run: usize| self.kernel.is_empty() || self.kernel.iter().any(|k| verification.uses(run, k));
        let runs = verification.runs().into_iter().enumerate().filter(|(i, _)| uses(*i)).collect::<Vec<_>>();
        if runs.is_empty() {
            return Err(Error::Request(format!("no case uses {}; leave --kernel out", self.kernel.join(", "))).into());
        }
        let left: Vec<(usize, Run)> =
            runs.into_iter().filter(|(run, _)| verification.part(*run) == part && *run >= from).collect();
        let info =
            verification.info().map_or_else(|| json!({"name": "cpu", "backend": "cpu", "driver": ""}), |i| json!(i));
        let numbers: Vec<usize> = left.iter().map(|(run, _)| *run).collect();
        print_json(&Message::Ready { info, runs: left })?;
        for run in numbers {
            let outcome = verification.run(run);
            let stop = self.fail_fast && outcome.failure.is_some();
            print_json(&Message::Done(outcome))?;
            if stop {
                break;
            }
        }
        Ok(())
    }

    /// Runs the cases on a device, in two worker processes at once.
    fn ask_all(&self, device: Option<&str>) -> Result<Adapter, Failure> {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} cases  {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let (first, second) = std::thread::scope(|scope| {
            let second = scope.spawn(|| self.ask(device, 1, &bar));
            let first = self.ask(device, 0, &bar);
            (first, second.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        bar.finish_and_clear();
        let mut adapter = first?;
        adapter.outcomes.extend(second?.outcomes);
        Ok(adapter)
    }

    /// Runs a part of the cases in worker processes. If one dies or hangs, another continues after the case at fault.
    fn ask(&self, device: Option<&str>, part: usize, bar: &ProgressBar) -> Result<Adapter, Failure> {
        let mut adapter = Adapter { info: Value::Null, outcomes: vec![] };
        let mut left: VecDeque<(usize, Run)> = VecDeque::new();
        for death in 1.. {
            let (mut child, messages, complaint) = self.start(device, part, left.front().map_or(0, |(run, _)| *run))?;
            let mut begun = false;
            let end = loop {
                match messages.recv_timeout(PATIENCE) {
                    Ok(Message::Ready { info, runs }) => {
                        if death == 1 {
                            bar.inc_length(runs.len() as u64);
                        }
                        (adapter.info, left, begun) = (info, runs.into(), true);
                        bar.set_message(left.front().map_or(String::new(), |(_, run)| run.to_string()));
                    }
                    Ok(Message::Done(outcome)) => {
                        bar.inc(1);
                        left.pop_front();
                        bar.set_message(left.front().map_or(String::new(), |(_, run)| run.to_string()));
                        adapter.outcomes.push(outcome);
                    }
                    Err(RecvTimeoutError::Timeout) => {
                        child.kill()?;
                        break Some(format!("no answer within {} s", PATIENCE.as_secs()));
                    }
                    Err(RecvTimeoutError::Disconnected) => break None,
                }
            };
            let (status, complaint) = (child.wait()?, complaint.join().unwrap_or_default());
            let stopped = self.fail_fast && adapter.outcomes.iter().any(|outcome| outcome.failure.is_some());
            if status.success() && (left.is_empty() || stopped) {
                break;
            }
            let complaint = complaint.trim_start_matches("gradcam: ").to_owned();
            if !begun && status.code() == Some(2) {
                return Err(Error::Request(complaint).into());
            }
            let reason = end.unwrap_or_else(|| format!("the process ended, {}: {complaint}", status));
            let Some((_, run)) = left.pop_front().filter(|_| begun) else {
                let adapter = device.unwrap_or("the adapter").to_owned();
                return Err(
                    Error::Device { adapter, reason: if complaint.is_empty() { reason } else { complaint } }.into()
                );
            };
            adapter.outcomes.push(Outcome::broken(run, reason));
            if death == DEATHS || self.fail_fast || left.is_empty() {
                let untried = left.drain(..).map(|(_, run)| Outcome::broken(run, "not tried".into()));
                adapter.outcomes.extend(untried.filter(|_| !self.fail_fast));
                break;
            }
        }
        Ok(adapter)
    }

    /// Starts a worker for the cases from `from` on. Returns the process, its messages, and the last line of its
    /// stderr.
    fn start(
        &self,
        device: Option<&str>,
        part: usize,
        from: usize,
    ) -> Result<(Child, Receiver<Message>, Complaint), Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["verify", "--worker", &part.to_string(), &from.to_string()]);
        let backend =
            self.device.backend.map(|backend| format!("{:?}", gradcam::Backend::from(backend)).to_lowercase());
        let options =
            [("--device", device), ("--variant", self.device.variant.as_deref()), ("--backend", backend.as_deref())];
        for (name, value) in options {
            command.args(value.into_iter().flat_map(|value| [name, value]));
        }
        command.args(self.kernel.iter().flat_map(|kernel| ["--kernel", kernel]));
        command.args(self.fail_fast.then_some("--fail-fast"));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (sender, receiver) = channel();
        let lines = child.stdout.take().map(BufReader::new);
        std::thread::spawn(move || {
            let messages = lines.into_iter().flat_map(|lines| lines.lines().map_while(Result::ok));
            let messages = messages.filter_map(|line| serde_json::from_str(&line).ok());
            messages.map_while(|message| sender.send(message).ok()).count()
        });
        let stderr = child.stderr.take();
        let complaint = std::thread::spawn(move || {
            let lines = stderr.into_iter().flat_map(|stderr| BufReader::new(stderr).lines().map_while(Result::ok));
            lines.last().unwrap_or_default()
        });
        Ok((child, receiver, complaint))
    }
}

/// One row per variant of an adapter.
fn rows(adapter: &Adapter) -> Vec<Row<'_>> {
    let mut rows: Vec<Row> = vec![];
    for outcome in &adapter.outcomes {
        if rows.last().is_none_or(|row| row.variant != outcome.run.variant) {
            let [name, backend, driver] = ["name", "backend", "driver"].map(|key| &adapter.info[key]);
            rows.push(Row {
                adapter: name,
                backend,
                driver,
                variant: &outcome.run.variant,
                cases: 0,
                errors: BTreeMap::new(),
                verdict: "agrees",
                failures: vec![],
            });
        }
        let Some(row) = rows.last_mut() else { continue };
        row.cases += 1;
        for (stage, error) in &outcome.errors {
            let worst = row.errors.entry(*stage).or_default();
            *worst = worst.max(*error);
        }
        if let Some(failure) = &outcome.failure {
            let known = failure.known.is_some() && row.verdict != "disagrees";
            row.verdict = if known { "known fault" } else { "disagrees" };
            row.failures.push(outcome);
        }
    }
    rows
}

/// Prints a table of an adapter's variants, and the cases that disagree.
fn print(adapter: &Adapter) -> Result<(), Failure> {
    let mut out = stdout().lock();
    let text = |key: &str| adapter.info[key].as_str().unwrap_or_default().to_owned();
    let driver = [text("backend"), text("driver")].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("; ");
    writeln!(out, "{} ({driver})", text("name"))?;
    let rows = rows(adapter);
    let width = rows.iter().map(|row| row.variant.len()).max().unwrap_or_default();
    write!(out, "  {:width$} {:>5}", "variant", "cases")?;
    Stage::ALL.iter().try_for_each(|stage| write!(out, " {:>9}", stage.name()))?;
    writeln!(out, "  verdict")?;
    for row in rows {
        write!(out, "  {:width$} {:>5}", row.variant, row.cases)?;
        for stage in Stage::ALL {
            let error = row.errors.get(&stage).map_or("-".into(), |error| match *error {
                f64::MAX => "broken".to_owned(),
                error => format!("{error:.1e}"),
            });
            write!(out, " {error:>9}")?;
        }
        writeln!(out, "  {}", row.verdict)?;
        for outcome in row.failures {
            let Some(failure) = &outcome.failure else { continue };
            let kernel =
                failure.kernel.as_ref().map_or("no kernel disagrees by itself".into(), |k| format!("kernel {k}"));
            let known = failure.known.as_ref().map_or(String::new(), |known| format!("; known fault: {known}"));
            writeln!(out, "    {}: {}; {kernel}{known}", outcome.run.case, failure.reason)?;
        }
    }
    Ok(())
}
