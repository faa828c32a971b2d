(** Lists of pairs of permutations as tables of booleans, and back. *)

From Coq Require Import List Lia Bool Arith.
From CosetVerify Require Import Definitions Sums Groups.
Import ListNotations.
Open Scope nat_scope.

(** f at entry k. *)
Fixpoint change {S : Type} (f : S -> S) (k : nat) (s : list S) : list S :=
  match s, k with
  | [], _ => []
  | a :: s', O => f a :: s'
  | a :: s', Datatypes.S k' => a :: change f k' s'
  end.

Lemma change_length {S} (f : S -> S) s : forall k, length (change f k s) = length s.
Proof. induction s as [|a s IH]; intros [|k]; cbn; auto. Qed.

Lemma change_nth {S} (f : S -> S) d s : forall k i, i < length s ->
  nth i (change f k s) d = if k =? i then f (nth i s d) else nth i s d.
Proof.
  induction s as [|a s IH]; intros k i Hi; cbn [length] in Hi; [lia|].
  destruct k as [|k], i as [|i]; try reflexivity. cbn [change nth]. change (Datatypes.S k =? Datatypes.S i) with (k =? i).
  apply IH. lia.
Qed.

Definition marked (M : list (list bool)) (x y : nat) : bool := nth y (nth x M []) false.

Lemma marked_nothing x y : marked [] x y = false.
Proof. unfold marked. now destruct x, y. Qed.

Definition mark (M : list (list bool)) (x y : nat) : list (list bool) := change (change (fun _ => true) y) x M.

Definition square (n : nat) (M : list (list bool)) : Prop := length M = n /\ forall k, k < n -> length (nth k M []) = n.

Lemma mark_square n M x y : square n M -> square n (mark M x y).
Proof.
  intros [H1 H2]. split; [unfold mark; now rewrite change_length|]. intros k Hk. unfold mark.
  rewrite change_nth by lia. destruct (x =? k); rewrite ?change_length; auto.
Qed.

Lemma mark_spec n M x y i j : square n M -> i < n -> j < n -> marked (mark M x y) i j = ((x =? i) && (y =? j)) || marked M i j.
Proof.
  intros [H1 H2] Hi Hj. unfold marked, mark. rewrite change_nth by lia. destruct (x =? i); [|reflexivity].
  rewrite change_nth by (rewrite H2; assumption). now destruct (y =? j).
Qed.

(** Entry (x, y): whether the elements number x and y are among the pairs. *)
Definition marks (E : list permutation) (pairs : list (permutation * permutation)) : list (list bool) :=
  let N := index E in let n := length E in
  fold_left (fun M p => mark M (place (fst p) N) (place (snd p) N)) pairs (repeat (repeat false n) n).

Definition all_listed (E : list permutation) (pairs : list (permutation * permutation)) : bool :=
  let N := index E in let n := length E in
  let found := fun x => let k := place x N in if k <? n then same (nth k E []) x else false in
  forallb (fun p => if found (fst p) then found (snd p) else false) pairs.

Lemma nth_repeat {S} (a d : S) n k : k < n -> nth k (repeat a n) d = a.
Proof. revert k. induction n as [|n IH]; intros k Hk; [lia|]. destruct k as [|k]; [reflexivity|]. apply IH. lia. Qed.

Theorem marks_spec E pairs i j : distinct E = true -> all_listed E pairs = true -> i < length E -> j < length E ->
  marked (marks E pairs) i j = true <-> In (nth i E [], nth j E []) pairs.
Proof.
  intros HD HA Hi Hj. unfold marks. cbn zeta. set (n := length E) in *. set (N := index E).
  assert (B : square n (repeat (repeat false n) n)).
  { split; [apply repeat_length|]. intros k Hk. rewrite nth_repeat by assumption. apply repeat_length. }
  assert (B0 : marked (repeat (repeat false n) n) i j = false) by (unfold marked; now rewrite !nth_repeat).
  assert (G : forall pairs M, square n M -> all_listed E pairs = true ->
    marked (fold_left (fun M p => mark M (place (fst p) N) (place (snd p) N)) pairs M) i j = true <->
    marked M i j = true \/ In (nth i E [], nth j E []) pairs).
  { clear pairs HA B B0. induction pairs as [|[x y] pairs IH]; intros M HM HA; cbn [fold_left]; [cbn [In]; tauto|].
    unfold all_listed in HA. cbn zeta in HA. cbn [forallb fst snd] in HA. apply andb_true_iff in HA as [Hp HA].
    fold N n in Hp. destruct (place x N <? n) eqn:Lx; [|discriminate]. destruct (same (nth (place x N) E []) x) eqn:Ex; [|discriminate].
    destruct (place y N <? n) eqn:Ly; [|discriminate]. apply same_spec in Ex, Hp. apply Nat.ltb_lt in Lx, Ly.
    rewrite IH; [|now apply mark_square|assumption]. cbn [fst snd]. rewrite (mark_spec n) by assumption.
    assert (P : forall k z, k < n -> place z N < n -> nth (place z N) E [] = z -> (place z N =? k) = true <-> z = nth k E []).
    { intros k z Hk Lz Ez. split; intros K.
      - apply Nat.eqb_eq in K. now rewrite <- K.
      - apply Nat.eqb_eq. rewrite K. now apply distinct_place. }
    rewrite orb_true_iff, andb_true_iff, (P i x), (P j y) by assumption. cbn [In].
    split.
    - intros [[[-> ->]|H]|H]; auto.
    - intros [H|[H|H]]; auto. injection H as -> ->. auto. }
  rewrite G by assumption. rewrite B0. split; [intros [H|H]; [discriminate | assumption] | now right].
Qed.
