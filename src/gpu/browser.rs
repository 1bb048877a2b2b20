//! What only a browser needs.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// Milliseconds between two reminders: the shortest time that browsers grant.
const REMINDER: i32 = 4;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(then: &Function, milliseconds: i32) -> JsValue;
}

/// Waits for the device's answer. Firefox looks for one only every 100 ms, or when something is submitted. So nothing is
/// submitted, again and again.
pub async fn reminded<T>(queue: &wgpu::Queue, answer: impl Future<Output = T>) -> T {
    let mut answer = pin!(answer);
    loop {
        let mut timer = pin!(JsFuture::from(Promise::new(&mut |then, _| drop(set_timeout(&then, REMINDER)))));
        let first = poll_fn(|cx| match answer.as_mut().poll(cx) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending => timer.as_mut().poll(cx).map(|_| None),
        });
        if let Some(answer) = first.await {
            return answer;
        }
        queue.submit([]);
    }
}
