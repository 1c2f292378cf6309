//! Reading the files that an option names.

use super::pem::{self, MAX_INPUT};
use crate::{Error, ErrorKind, Result};
use std::fs::File;
use std::io::Read;
use zeroize::Zeroizing;

/// Reads the whole file at `path`; `what` says in an error what the file was for ("private key").
///
/// Reads at most 1 MiB. The memory is allocated once and overwritten when it goes, so that no copy of a key is left
/// behind.
///
/// # Errors
/// [`ErrorKind::File`], with the path and the system's reason.
pub(crate) fn read_file(path: &str, what: &str) -> Result<Zeroizing<Vec<u8>>> {
    // Such a path is not shown: it may be the key itself.
    if pem::may_be_key(path) || path.contains(char::is_control) {
        let message = format!(
            "the path of the {what} file is no path, but a text that may be a key: give the path here, the text to the function whose name ends in _pem"
        );
        return Err(Error::new(ErrorKind::File, message));
    }
    let fail = |reason: &dyn std::fmt::Display| {
        Error::new(ErrorKind::File, format!("cannot read the {what} file '{path}': {reason}"))
    };
    let file = File::open(path).map_err(|reason| fail(&reason))?;
    let length = file.metadata().map_err(|reason| fail(&reason))?.len();
    let too_large = || fail(&format_args!("it is larger than {MAX_INPUT} bytes, which no such file is"));
    if length > MAX_INPUT as u64 {
        return Err(too_large());
    }
    // One byte more, so that the read which finds the end does not make the vector grow. A pipe has no length.
    let capacity = if length == 0 { MAX_INPUT } else { length as usize } + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    file.take(MAX_INPUT as u64 + 1).read_to_end(&mut bytes).map_err(|reason| fail(&reason))?;
    if bytes.len() > MAX_INPUT {
        return Err(too_large());
    }
    if bytes.is_empty() {
        return Err(fail(&"it is empty"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_refuses_with_the_path_and_the_reason() {
        assert!(read_file(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "CA").unwrap().len() > 100);
        let error = read_file("/nowhere/key.pem", "private key").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File);
        assert_eq!(
            error.message(),
            "cannot read the private key file '/nowhere/key.pem': No such file or directory (os error 2)"
        );
        let error = read_file(env!("CARGO_MANIFEST_DIR"), "CA").unwrap_err();
        assert!(error.message().contains("Is a directory"), "{error}");
    }

    #[test]
    fn a_key_in_the_place_of_a_path_is_not_shown() {
        for key in [
            "-----BEGIN EC PRIVATE KEY-----s3cr3t-----END EC PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\ns3cr3t\n-----END PRIVATE KEY-----\n",
            "s3cr3t\ns3cr3t\n",
            "s3cr3t-----END PRIVATE KEY-----",
        ] {
            let error = read_file(key, "private key").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::File);
            assert!(error.message().contains("_pem") && !error.message().contains("s3cr3t"), "{error}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn bounds_what_has_no_end() {
        let error = read_file("/dev/zero", "CA").unwrap_err();
        assert!(error.message().contains("larger than 1048576 bytes"), "{error}");
        let error = read_file("/dev/null", "CA").unwrap_err();
        assert!(error.message().contains("it is empty"), "{error}");
    }
}
