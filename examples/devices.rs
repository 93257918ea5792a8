//! Lists the adapters of this machine with their limits, features and kernels.
//!
//!     cargo run --release --example devices

#[macro_use]
#[path = "support/say.rs"]
mod say;
#[path = "support/options.rs"]
mod options;

use clap::Parser;
use ign::gpu::{AdapterSummary, GpuError, adapters};
use ign::native;

/// Lists the adapters of this machine with type, limits, features and kernels. The first adapter is the default.
/// --adapter or IGN_ADAPTER selects another adapter by its index or a part of its name.
#[derive(Parser)]
struct Arguments {
    /// Print no list. The exit status says whether there is a usable adapter.
    #[arg(long)]
    check: bool,
    /// Adapter to use, or to check with --check, by its index or a part of its name.
    #[arg(long, value_name = "NAME|INDEX")]
    adapter: Option<String>,
}

fn main() {
    say::without_display();
    if let Err(error) = run(options::parse()) {
        note!("error: {error}");
        std::process::exit(1);
    }
}

fn run(arguments: Arguments) -> Result<(), GpuError> {
    let gpu = native::open(arguments.adapter.as_deref())?;
    if arguments.check && gpu.caps().software && gpu.caps().backend == "Gl" {
        let slow = "only software OpenGL, which is several times slower than software Vulkan";
        return Err(GpuError::NoAdapter(format!(": {slow}")));
    }
    if !arguments.check {
        pollster::block_on(adapters()).iter().for_each(print);
        say!("in use: {}", gpu.caps());
    }
    Ok(())
}

fn print(adapter: &AdapterSummary) {
    let caps = &adapter.caps;
    let subgroup = caps.subgroup.map_or("no fixed size".into(), |lanes| format!("{lanes} lanes"));
    say!("{}: {}{}", adapter.index, caps.name, if adapter.default { "  (default)" } else { "" });
    say!("   type       {}", adapter.kind);
    say!("   backend    {}", caps.backend);
    say!("   driver     {}", caps.driver);
    say!("   subgroups  {subgroup}");
    say!("   features   {}", adapter.features.join(", "));
    let limits = &adapter.limits;
    say!("   limits     {:>26}  {:>12}  {:>12}", "", "of adapter", "used");
    let row = |name: &str, own: u64, used: u64| say!("              {name:>26}  {own:>12}  {used:>12}");
    row("storage binding, bytes", limits.max_storage_buffer_binding_size, caps.max_binding);
    row("buffer, bytes", limits.max_buffer_size, caps.max_buffer);
    let defaults = wgpu::Limits::default();
    let pair = |of: fn(&wgpu::Limits) -> u32| (u64::from(of(limits)), u64::from(of(&defaults)));
    let (own, used) = pair(|l| l.max_compute_workgroup_storage_size);
    row("workgroup memory, bytes", own, used);
    let (own, used) = pair(|l| l.max_compute_invocations_per_workgroup);
    row("invocations per workgroup", own, used);
    let (own, used) = pair(|l| l.max_storage_buffers_per_shader_stage);
    row("storage buffers per stage", own, used);
    say!("   kernels    {}", ign::ops::kernels_for(caps));
}
