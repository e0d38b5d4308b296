(* The workloads of tests/bench/workloads in OCaml, for its bytecode interpreter.
     ocamlc -o workloads.byte workloads.ml
     ocamlrun workloads.byte NAME SIZE    prints the milliseconds of processor time and the result *)

let rec fib n = if n < 2 then n else fib (n - 1) + fib (n - 2)

let loop size =
  let s = ref 0 in
  for i = 0 to size - 1 do
    s := (!s + (i * 3)) mod 1000003
  done;
  !s

let text size =
  let buffer = Buffer.create 16 in
  for i = 0 to size - 1 do
    Buffer.add_string buffer ("item " ^ string_of_int i ^ ";")
  done;
  String.length (Buffer.contents buffer)

(* Arrays have no filter, and lists of this length no map that keeps off the stack. *)
let list size =
  let a = Array.init size (fun i -> i) in
  let b = Array.map (fun x -> (x * 2) + 1) a in
  let wanted = List.filter (fun x -> x mod 3 = 0) (Array.to_list b) in
  List.fold_left ( + ) 0 wanted

(* The stable sort is the faster of the two. *)
let sort size =
  let x = ref 42 in
  let a = Array.init size (fun _ -> x := !x * 16807 mod 2147483647; !x) in
  Array.stable_sort (compare : int -> int -> int) a;
  a.(0) + a.(size / 2) + a.(size - 1)

let map size =
  let m = Hashtbl.create 16 in
  for i = 0 to size - 1 do
    Hashtbl.replace m ("k" ^ string_of_int (i * 7919 mod 200000)) i
  done;
  let s = ref 0 in
  for i = 0 to size - 1 do
    s := !s + (match Hashtbl.find_opt m ("k" ^ string_of_int (i mod 200000)) with Some v -> v | None -> 0)
  done;
  !s

let () =
  let run =
    match Sys.argv.(1) with
    | "empty" -> fun size -> size
    | "fib" -> fib
    | "loop" -> loop
    | "string" -> text
    | "list" -> list
    | "sort" -> sort
    | "map" -> map
    | name -> failwith name
  in
  let size = int_of_string Sys.argv.(2) in
  let start = Sys.time () in
  let result = run size in
  Printf.printf "%.3f %d\n" ((Sys.time () -. start) *. 1000.) result
