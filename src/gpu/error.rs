use thiserror::Error;

/// An error of work on the adapter.
#[derive(Clone, Debug, Error)]
pub enum GpuError {
    /// This machine has no adapter. `scripts/adapter` knows the first words.
    #[error("no GPU adapter found{0}\n{advice}", advice = install_advice())]
    NoAdapter(String),
    /// No adapter has the wanted name or index.
    #[error("no adapter is called `{wanted}`; there are:\n{known}\nName one by its index or by a part of its name.")]
    UnknownAdapter {
        /// The wanted name or index.
        wanted: String,
        /// The available adapters, one per line.
        known: String,
    },
    /// The driver could not open a device.
    #[error("{adapter} could not open a device: {reason}")]
    NoDevice {
        /// The adapter.
        adapter: String,
        /// Message of the driver.
        reason: String,
    },
    /// A buffer or a binding exceeds a limit.
    #[error("{what} needs {bytes} bytes, but the limit is {limit} ({name}); use a smaller batch or width")]
    TooLarge {
        /// The operation with its line and shape, or the name of the buffer.
        what: String,
        /// Required size, in bytes.
        bytes: u64,
        /// Limit, in bytes.
        limit: u64,
        /// Name of the limit in WebGPU.
        name: &'static str,
    },
    /// A dispatch has more workgroups than fit into a grid.
    #[error("{what} needs {workgroups} workgroups, but the limit is {limit}; use a smaller batch or width")]
    TooManyWorkgroups {
        /// The kernel.
        what: String,
        /// Required number of workgroups.
        workgroups: u64,
        /// Maximum number of workgroups.
        limit: u64,
    },
    /// The adapter is out of memory.
    #[error("the adapter ran out of memory while creating {what}; use a smaller batch or width")]
    OutOfMemory {
        /// The object that could not be created.
        what: String,
    },
    /// The adapter cannot time dispatches, and the target has no clock.
    #[error("the adapter has no timestamp queries, and without them single dispatches cannot be timed here")]
    NoTimestamps,
    /// The adapter was lost: driver reset, unplugged, suspended, or stopped by a watchdog.
    #[error("the adapter was lost: {0}; unsaved work is gone, resume from the last checkpoint")]
    Lost(String),
    /// A shader, a binding or a call is invalid: a defect of this crate or of a custom shader.
    #[error("{what} is invalid: {reason}")]
    Validation {
        /// The kernel or the object.
        what: String,
        /// Message of the validator.
        reason: String,
    },
    /// A tensor that the program uses is missing from the store, or has another size there.
    #[error("the program uses state `{name}` of {expected} elements, but the store has {found}")]
    State {
        /// Name of the tensor.
        name: String,
        /// Number of elements that the program expects.
        expected: usize,
        /// Contents of the store under this name, in words.
        found: String,
    },
    /// A transfer with the wrong number of elements, or of a value that the program does not use.
    #[error("{name}: {reason}")]
    Transfer {
        /// Name of the value or buffer.
        name: String,
        /// Reason for the refusal.
        reason: String,
    },
}

impl GpuError {
    /// The object of [`Self::OutOfMemory`] where wgpu does not say which call failed.
    pub(super) const UNNAMED: &str = "commands";

    /// The error of which wgpu gives only a text: a lost device, whose cause may be a lack of memory, or a panic.
    pub(super) fn from_message(message: String, what: &str) -> Self {
        let text = message.to_lowercase().replace(' ', "");
        let says = |words: [&str; 2]| words.iter().any(|word| text.contains(word));
        if says(["outofmemory", "notenoughmemory"]) {
            Self::OutOfMemory { what: what.into() }
        } else if says(["lost", "unexpected"]) {
            Self::Lost(message)
        } else {
            Self::Validation { what: what.into(), reason: message }
        }
    }

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
        "A GPU needs a Vulkan driver. Without a GPU, install Mesa's software Vulkan:\n  Debian, Ubuntu: apt-get install mesa-vulkan-drivers\n  Fedora: dnf install mesa-vulkan-drivers\n  Arch: pacman -S vulkan-swrast"
    } else if cfg!(target_os = "macos") {
        "Metal is a part of macOS; a virtual machine without a GPU has no adapter."
    } else if cfg!(target_os = "windows") {
        "DirectX 12 and its software adapter WARP are parts of Windows; update the graphics driver."
    } else {
        "Install a Vulkan driver for this system."
    }
}
