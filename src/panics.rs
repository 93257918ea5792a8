//! Panics of libraries: of wgpu where a driver fails in a call that returns no error, such as a write to a buffer, and of
//! decoders on damaged pictures.

/// Runs `work`. A panic in it is returned as its message, and is not printed. Without unwinding it ends the program.
#[cfg(panic = "unwind")]
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    use std::cell::Cell;
    use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
    use std::sync::Once;

    thread_local! {
        static CAUGHT: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    // The hook prints panics even if they are caught. Every other panic reaches the earlier hook.
    HOOK.call_once(|| {
        let hook = take_hook();
        set_hook(Box::new(move |panic| {
            if !CAUGHT.get() {
                hook(panic);
            }
        }));
    });
    let outer = CAUGHT.replace(true);
    // Callers use nothing again that `work` may have left half changed.
    let result = catch_unwind(AssertUnwindSafe(work));
    CAUGHT.set(outer);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        text.unwrap_or("a panic without a message").split_whitespace().collect::<Vec<_>>().join(" ")
    })
}

#[cfg(not(panic = "unwind"))]
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    Ok(work())
}
