//! Links the helpers to fixed addresses on Linux with glibc.
//!
//! A helper lives for a millisecond or two. One that can be loaded anywhere first rewrites 12,500 pointers of its tables
//! (the largest is that of `regex` for `(?i)`) and touches 50 pages for it: measured, that is 5 to 9 % of a `sesh-pane`.
//! What is lost is the random address of the program's own code; its libraries, heap and stack keep theirs.
//! A static program needs another start file for this, which a linker argument does not choose: `bin/dist` sets
//! `relocation-model=static` instead.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| {
        std::env::var(name).is_ok_and(|all| all.split(',').any(|one| one == value))
    };
    let glibc = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if glibc && !is("CARGO_CFG_TARGET_FEATURE", "crt-static") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
