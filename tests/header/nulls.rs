//! `tests/c/test_nulls.c` gives NULL in every pointer position of every function: here that list is checked.

use super::parse::functions;
use super::root;
use std::collections::BTreeSet;

/// `NULL_IN(function, parameter, …)` of the C test: the call must have NULL in that very position.
fn covered(source: &str) -> BTreeSet<(String, String)> {
    let functions = functions();
    let mut covered = BTreeSet::new();
    for entry in source.split("NULL_IN(").skip(1) {
        let Some((name, rest)) = entry.split_once(',') else { continue };
        let Some(function) = functions.iter().find(|function| function.name == name.trim()) else { continue };
        let (parameter, rest) = rest.split_once(',').expect("a parameter follows");
        let parameter = parameter.trim();
        let call = rest.split_once(&format!("{}(", function.name)).expect("the call follows").1;
        let arguments = arguments(call);
        assert_eq!(arguments.len(), function.parameters.len(), "{name}({parameter}): {arguments:?}");
        let position = function.parameters.iter().position(|p| p.name == parameter);
        let position = position.unwrap_or_else(|| panic!("{name} has no parameter {parameter}"));
        assert_eq!(arguments[position], "NULL", "{name}({parameter}): {arguments:?}");
        covered.insert((name.trim().to_owned(), parameter.to_owned()));
    }
    covered
}

/// The arguments of a call whose opening bracket has been read.
fn arguments(call: &str) -> Vec<String> {
    let (mut depth, mut found) = (0, vec![String::new()]);
    for character in call.chars() {
        match character {
            ')' if depth == 0 => break,
            ',' if depth == 0 => found.push(String::new()),
            _ => {
                depth += i32::from(character == '(') - i32::from(character == ')');
                found.last_mut().unwrap().push(character);
            }
        }
    }
    found.into_iter().map(|argument| argument.trim().to_owned()).collect()
}

#[test]
fn every_pointer_of_every_function_is_tried() {
    let source =
        std::fs::read_to_string(root().join("tests/c/test_nulls.c")).expect("tests/c/test_nulls.c is there");
    let mut wanted = BTreeSet::new();
    for function in functions() {
        for parameter in function.parameters.iter().filter(|parameter| parameter.is_pointer) {
            wanted.insert((function.name.clone(), parameter.name.clone()));
        }
    }
    let covered = covered(&source);
    let missing: Vec<_> = wanted.difference(&covered).collect();
    assert!(missing.is_empty(), "tests/c/test_nulls.c does not try NULL in {missing:?}");
}
