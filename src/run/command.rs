use shell_quote::Bash;
use std::ffi::OsStr;

/// An argument as one types it into a shell: quoted where it needs to be. The shell is Bash or Z shell, which take any bytes; on
/// Windows PowerShell, cmd or Git Bash.
pub fn quoted(argument: impl AsRef<OsStr>) -> String {
    let argument = argument.as_ref();
    if cfg!(windows) {
        return double_quoted(&argument.to_string_lossy());
    }
    let bytes = match argument.to_str() {
        // As text, letters of all languages stay as they are.
        Some(text) => Bash::quote_vec(text),
        None => Bash::quote_vec(argument),
    };
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An argument for the shells of Windows. All take backslashes in double quotes as they are; a file name has no quotes.
fn double_quoted(argument: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/:.,-_=+".contains(c);
    match !argument.is_empty() && argument.chars().all(plain) {
        true => argument.into(),
        false => format!("\"{argument}\""),
    }
}

/// The arguments of this process as one types them, after the name of the program.
pub fn arguments() -> String {
    std::env::args_os().skip(1).map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_what_was_meant() {
        let windows = [r"runs\quick", "zażółć", r"two words\a", ""].map(double_quoted);
        assert_eq!(windows, ["\"runs\\quick\"", "zażółć", "\"two words\\a\"", "\"\""]);
        #[cfg(unix)]
        {
            assert_eq!(["runs/a-1.b", "zażółć", "two words"].map(quoted), ["runs/a-1.b", "$'zażółć'", "$'two words'"]);
            use std::os::unix::ffi::OsStrExt;
            for bytes in [&b"two words"[..], b"it's; $HOME `x` \"\\", b"line\nline", b"caf\xe9 \xff", b"", b"*?~%!"] {
                let command = format!("printf %s {}", quoted(OsStr::from_bytes(bytes)));
                let Ok(shell) = std::process::Command::new("bash").args(["-c", &command]).output() else { return };
                assert_eq!(shell.stdout, bytes, "{command}");
            }
        }
    }
}
