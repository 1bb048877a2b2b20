//! A server of static files, to which pages post what they have to say.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use crate::Result;

/// The longest body of a request.
const LONGEST: u64 = 64 << 20;

/// A server that listens.
pub struct Server {
    listener: TcpListener,
    folders: Vec<PathBuf>,
    said: Sender<String>,
    pub address: SocketAddr,
}

/// What answers a page.
struct Answers<A> {
    folders: Vec<PathBuf>,
    said: Sender<String>,
    ask: A,
}

impl Server {
    /// Serves these folders as one. What pages post to `/log` and `/done` is said.
    pub fn new(address: &str, folders: &[&str], said: Sender<String>) -> Result<Self> {
        let listener = TcpListener::bind(address).map_err(|e| format!("{address}: {e}"))?;
        let address = listener.local_addr()?;
        Ok(Self { listener, folders: folders.iter().map(PathBuf::from).collect(), said, address })
    }

    /// Answers for ever. What is posted to `/ask/THING` is the answer of `ask`.
    pub fn serve(self, ask: impl Fn(&str) -> Result<Vec<u8>> + Send + Sync + 'static) {
        let answers = Arc::new(Answers { folders: self.folders, said: self.said, ask });
        for stream in self.listener.incoming().flatten() {
            let answers = answers.clone();
            std::thread::spawn(move || {
                // A browser that goes away is no failure.
                _ = answers.answer(stream);
            });
        }
    }
}

impl<A: Fn(&str) -> Result<Vec<u8>>> Answers<A> {
    fn answer(&self, stream: TcpStream) -> Result<()> {
        let mut reader = BufReader::new(&stream);
        let mut first = String::new();
        reader.read_line(&mut first)?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? < 3 {
                break;
            }
            if let Some((name, value)) = line.split_once(':') {
                length = if name.eq_ignore_ascii_case("content-length") { value.trim().parse()? } else { length };
            }
        }
        let mut body = vec![];
        reader.take(u64::min(length, LONGEST)).read_to_end(&mut body)?;
        let mut words = first.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let (status, kind, content) = match method {
            "POST" => self.posted(path, &String::from_utf8_lossy(&body)),
            _ => self.file(path),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
            content.len()
        );
        let mut stream = &stream;
        stream.write_all(head.as_bytes())?;
        stream.write_all(&content)?;
        Ok(())
    }

    fn posted(&self, path: &str, body: &str) -> (&'static str, &'static str, Vec<u8>) {
        let text = "text/plain; charset=utf-8";
        let answer = match path.strip_prefix("/ask/") {
            Some(thing) => (self.ask)(thing),
            None => self.said.send(format!("{} {body}", &path[1..])).map(|()| vec![]).map_err(Into::into),
        };
        match answer {
            Ok(content) => ("200 OK", text, content),
            Err(error) => ("500 Internal Server Error", text, error.to_string().into_bytes()),
        }
    }

    fn file(&self, path: &str) -> (&'static str, &'static str, Vec<u8>) {
        let name = if path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() };
        let inside = name.trim_start_matches('/');
        let is_plain = !inside.split('/').any(|part| part == "..");
        let found = self.folders.iter().map(|folder| folder.join(inside)).find(|file| is_plain && file.is_file());
        match found.and_then(|file| Some((kind(&file), std::fs::read(&file).ok()?))) {
            Some((kind, content)) => ("200 OK", kind, content),
            None => ("404 Not Found", "text/plain", b"there is no such file".to_vec()),
        }
    }
}

fn kind(file: &Path) -> &'static str {
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("png") => "image/png",
        Some("jpg") => "image/jpeg",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}
