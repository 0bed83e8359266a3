# Names found through `with` scopes: eight around a function, and three thousand one in another.
let
  deep = n: sum: if n == 0 then sum else with { x = n; }; deep (n - 1) (sum + x);
  sum =
    with { a = 1; };
    with { b = 2; };
    with { c = 3; };
    with { d = 4; };
    with { e = 5; };
    with { f = 6; };
    with { g = 7; };
    with { h = 8; };
    i: a + b + c + d + e + f + g + h + i;
in
deep 3000 0 + builtins.foldl' (all: i: all + sum i) 0 (builtins.genList (x: x) 200000)
