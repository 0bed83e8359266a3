# A hundred thousand strings put together of parts, and joined.
let
  words = builtins.genList (i: "word${toString i}-${toString (i * 7)}") 100000;
  dressed = map (word: "<${word}>" + builtins.substring 0 3 word) words;
in
builtins.stringLength (builtins.concatStringsSep ", " dressed)
