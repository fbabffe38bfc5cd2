//! A new file among the texts is noticed: include_dir!() looks at those only that it has seen.

fn main() {
    println!("cargo::rerun-if-changed=texts");
}
