//! Panics in the learner's functions, such as an index outside a vector.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs `work`. A panic in it is returned, with its file and line, and is not printed.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let earlier = take_hook();
        set_hook(Box::new(move |panic| match CATCHING.get() {
            true => MESSAGE.set(message(panic)),
            false => earlier(panic),
        }));
    });
    let outer = CATCHING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(outer);
    result.map_err(|_| MESSAGE.take())
}

fn message(panic: &PanicHookInfo<'_>) -> String {
    let what = panic.payload_as_str().unwrap_or("a panic");
    panic.location().map_or_else(|| what.into(), |at| format!("{at}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_returned_with_its_line() {
        let none: &[f64] = &[];
        let index = none.len();
        let said = caught(|| none[index]).unwrap_err();
        assert!(said.contains("caught.rs:") && said.contains("the len is 0 but the index is 0"), "{said}");
        assert_eq!(caught(|| 7), Ok(7));
    }

    #[test]
    fn a_panic_elsewhere_is_not_kept() {
        assert!(caught(|| ()).is_ok());
        assert!(catch_unwind(|| panic!("not the learner's")).is_err());
        assert!(MESSAGE.with_borrow(String::is_empty));
    }
}
