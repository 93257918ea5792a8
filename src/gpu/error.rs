use thiserror::Error;

/// Why something could not be done on the adapter.
#[derive(Clone, Debug, Error)]
pub enum GpuError {
    /// There is nothing to compute on.
    #[error("no GPU adapter found{0}\n{advice}", advice = install_advice())]
    NoAdapter(String),
    /// The adapter asked for is not there, or fits several.
    #[error("no adapter is called `{wanted}`; there are:\n{known}\nName one by its index or by a part of its name.")]
    UnknownAdapter {
        /// What was asked for.
        wanted: String,
        /// A line for each adapter.
        known: String,
    },
    /// The driver gave no device.
    #[error("{adapter} gave no device: {reason}")]
    NoDevice {
        /// The adapter.
        adapter: String,
        /// What the driver said.
        reason: String,
    },
    /// A buffer or a binding is larger than the adapter allows.
    #[error(
        "{what} needs {bytes} bytes, more than the {limit} this adapter allows ({name}); use a smaller batch or width"
    )]
    TooLarge {
        /// The operation, with its line and shape.
        what: String,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
        /// The limit's name in WebGPU.
        name: &'static str,
    },
    /// A dispatch has more workgroups than can be folded into a grid.
    #[error(
        "{what} needs {workgroups} workgroups, more than the {limit} of a folded grid; use a smaller batch or width"
    )]
    TooManyWorkgroups {
        /// The operation, with its line and shape.
        what: String,
        /// Workgroups needed.
        workgroups: u64,
        /// Workgroups possible.
        limit: u64,
    },
    /// Memory ran out.
    #[error("the adapter is out of memory while making {what}; use a smaller batch or width")]
    OutOfMemory {
        /// What was being made.
        what: String,
    },
    /// The adapter went away (driver reset, unplugged, put to sleep, watchdog).
    #[error("the adapter was lost: {0}; what was not saved is gone, start again from the last checkpoint")]
    Lost(String),
    /// A shader, a binding or a call is invalid. A defect of this crate or of a shader of yours.
    #[error("{what} is invalid: {reason}")]
    Validation {
        /// The kernel or object.
        what: String,
        /// What the validator said.
        reason: String,
    },
    /// A program needs a persistent buffer that nobody made, or of another size.
    #[error("the program uses state `{name}` of {expected} elements, but the store has {found}")]
    State {
        /// The state.
        name: String,
        /// Elements the program needs.
        expected: usize,
        /// What the store has, in words.
        found: String,
    },
    /// The host gave or asked for the wrong number of elements, or a value the program does not keep.
    #[error("{name}: {reason}")]
    Transfer {
        /// The value.
        name: String,
        /// What does not fit.
        reason: String,
    },
}

impl GpuError {
    pub(super) fn from_scope(error: wgpu::Error, what: &str) -> Self {
        match error {
            wgpu::Error::OutOfMemory { .. } => Self::OutOfMemory { what: what.into() },
            wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
                Self::Validation { what: what.into(), reason: description }
            }
        }
    }
}

fn install_advice() -> &'static str {
    if cfg!(target_os = "linux") {
        "A GPU needs its Vulkan driver. Without a GPU, Mesa's software Vulkan serves:\n  Debian, Ubuntu: apt-get install mesa-vulkan-drivers\n  Fedora: dnf install mesa-vulkan-drivers\n  Arch: pacman -S vulkan-swrast"
    } else if cfg!(target_os = "macos") {
        "macOS brings Metal itself; a virtual machine without a GPU has no adapter."
    } else if cfg!(target_os = "windows") {
        "Windows brings DirectX 12 and its software adapter WARP; update the graphics driver."
    } else {
        "Install a Vulkan driver for this system."
    }
}
