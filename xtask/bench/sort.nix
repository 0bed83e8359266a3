# Twenty thousand numbers in no order, sorted by a function.
let
  modulus = 2147483648;
  next =
    x:
    let
      y = x * 1103515245 + 12345;
    in
    y - (y / modulus) * modulus;
  numbers = builtins.genList (i: next (next (i * 7919 + 13))) 20000;
in
builtins.elemAt (builtins.sort (a: b: a < b) numbers) 10000
