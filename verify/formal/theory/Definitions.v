(** What the theorem says. Every word in it unfolds to this page, and nothing on this page is about how the
    theorem is proved. *)

From Coq Require Import ZArith List Uint63.
Import ListNotations.

(** * Permutations *)

(** A permutation of 0, ..., d-1 is the list of its images. *)
Definition permutation : Type := list nat.

Declare Scope permutation_scope.
Delimit Scope permutation_scope with permutation.
Bind Scope permutation_scope with permutation.

(** x first, then y. *)
Definition product (x y : permutation) : permutation := map (fun i => nth i y 0) x.
Notation "x * y" := (product x y) : permutation_scope.

(** The group that generators generate: the identity, and with every element its products with generators.
    (Inverses are powers, since the group is finite.) *)
Inductive generated (d : nat) (generators : list permutation) : permutation -> Prop :=
| generated_identity : generated d generators (seq 0 d)
| generated_product x g : generated d generators x -> In g generators -> generated d generators (x * g).

Notation "x ∈ G" := (G x) (at level 70, only parsing).

(** * The network *)

Open Scope Z_scope.

Definition relu (v : Z) : Z := Z.max v 0.

Definition sum (terms : list Z) : Z := fold_right Z.add 0 terms.

(** [numbering]: which permutation each row belongs to. [left], [right], [votes]: a row for each element, in it
    an entry for each neuron. [bias]: an entry for each element. All are integers: [left] and [right] in units
    of 2^-p, [votes] in units of 2^-q, [bias] in units of 2^-(p+q). The file with the weights says what p and q
    are; no inequality between logits depends on them. *)
Record network := Network {
  neurons : nat;
  numbering : list permutation;
  left : list (list Z);
  right : list (list Z);
  votes : list (list Z);
  bias : list Z
}.

(** Where x stands in a list. *)
Fixpoint position (x : permutation) (s : list permutation) : nat :=
  match s with
  | [] => 0
  | a :: s' => if list_eq_dec Nat.eq_dec a x then 0 else S (position x s')
  end.

Definition entry (rows : list (list Z)) (k i : nat) : Z := nth i (nth k rows []) 0.

(** The logit of z when the inputs are x and y, in units of 2^-(p+q):
    the sum over all neurons i of relu (left[x, i] + right[y, i]) votes[z, i], and the bias of z. *)
Definition logit (N : network) (x y z : permutation) : Z :=
  let row := fun a => position a (numbering N) in
  nth (row z) (bias N) 0 +
  sum (map (fun i => relu (entry (left N) (row x) i + entry (right N) (row y) i) * entry (votes N) (row z) i)
           (seq 0 (neurons N))).

(** * How integers are written *)

(** A machine integer is a number from 0 to 2^63-1, [φ v]; as a signed one it lies between -2^62 and 2^62-1. *)
Definition signed (v : int) : Z := if φ (v)%uint63 <? 2 ^ 62 then φ (v)%uint63 else φ (v)%uint63 - 2 ^ 63.

(** f, entry by entry. *)
Fixpoint zip {S T X : Type} (f : S -> T -> X) (s : list S) (t : list T) : list X :=
  match s, t with
  | a :: s', c :: t' => f a c :: zip f s' t'
  | _, _ => []
  end.

(** A table of integers that are longer than a machine integer: the table of the highest digits, which are
    signed, and the tables of the lower ones, in base 2^w. *)
Definition matrix (w : Z) (high : list (list int)) (lower : list (list (list int))) : list (list Z) :=
  fold_left (zip (zip (fun v digit => v * 2 ^ w + φ (digit)%uint63))) lower (map (map signed) high).
