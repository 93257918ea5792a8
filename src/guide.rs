#![doc = include_str!("../docs/guide/rustdoc-links.md")]
#![doc = include_str!("../docs/guide/README.md")]

// The chapters of docs/guide, each a module without code. `rustdoc-links.md` defines the labels of their links for this place,
// and of two definitions of a label the first counts. The drawing, which a chapter shows as a file, stands here as an element
// at the top of the page.

/// A chapter: its links, its drawing, its text.
macro_rules! chapter {
    ($module:ident, $name:literal) => {
        #[doc = include_str!("../docs/guide/rustdoc-links.md")]
        /// [drawing]: data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==
        ///
        /// <div>
        #[doc = include_str!(concat!("../docs/guide/images/", $name, ".svg"))]
        /// </div>
        ///
        #[doc = include_str!(concat!("../docs/guide/", $name, ".md"))]
        pub mod $module {}
    };
}

chapter!(tape, "01-tape");
chapter!(reverse, "02-reverse");
chapter!(higher, "03-higher");
chapter!(adjoint, "04-adjoint");
chapter!(dispatch, "05-dispatch");
chapter!(memory, "06-memory");
chapter!(product, "07-product");
chapter!(convolution, "08-convolution");
chapter!(batch_norm, "09-batch-norm");
#[cfg(feature = "model")]
chapter!(adam, "10-adam");
#[cfg(feature = "model")]
chapter!(idempotence, "11-idempotence");
#[cfg(feature = "train")]
chapter!(mnist, "12-mnist");
#[cfg(feature = "model")]
chapter!(limits, "13-limits");
