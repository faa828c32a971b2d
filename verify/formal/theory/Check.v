(** The check of all pairs by evaluating them, and what its success proves. *)

From Coq Require Import ZArith List Lia Bool Arith Uint63.
From CosetVerify Require Import Definitions Sums Machine Rounding Groups Pairs.
Import ListNotations.
Open Scope nat_scope.

(** The logit of the product exceeds every other one, for all inputs from G. *)
Definition right_on (G : permutation -> Prop) (N : network) : Prop :=
  forall x y z, G x -> G y -> G z -> z <> product x y -> (logit N x y z < logit N x y (product x y))%Z.

(** The same by numbers of elements, for a table of products. *)
Definition right_by_number (D : stored) (P : list (list nat)) : Prop :=
  forall x y z, x < order D -> y < order D -> z < order D ->
  let w := nth y (nth x P []) 0 in
  w < order D -> z <> w -> (exact_logit D x y z < exact_logit D x y w)%Z.

Lemma by_number_sound D d gens : group_ok d gens (stored_numbering D) = true -> sizes D ->
  right_by_number D (products (stored_numbering D)) -> right_on (generated d gens) (network_of D).
Proof.
  intros HG S H x y z Hx Hy Hz N. destruct (group_spec d gens _ HG) as [M T].
  destruct (T x y Hx Hy) as [Hw E]. set (w := product x y) in *.
  destruct (position_spec x _ (M x Hx)) as [Lx _]. destruct (position_spec y _ (M y Hy)) as [Ly _].
  destruct (position_spec z _ (M z Hz)) as [Lz Ez]. destruct (position_spec w _ Hw) as [Lw Ew].
  rewrite !logit_by_number by assumption.
  specialize (H (position x (stored_numbering D)) (position y (stored_numbering D)) (position z (stored_numbering D)) Lx Ly Lz).
  cbn zeta in H. rewrite E in H. apply H; [assumption|].
  intros F. apply N. rewrite <- Ez, <- Ew. now rewrite F.
Qed.

(** Every pair, by evaluating all logits. *)
Definition check (d : nat) (gens : list permutation) (D : stored) : bool :=
  let E := stored_numbering D in
  if group_ok d gens E && sizes_ok D then
    let P := products E in
    let numbers := seq 0 (order D) in
    let b := machine_bias D in
    let slack := machine_slack D in
    forallb (fun x =>
      let l := nth x (upper_left D) [] in
      let Px := nth x P [] in
      forallb (fun y => rivals_ok D b slack x y (nth y Px 0) l (nth y (upper_right D) []) numbers) numbers) numbers
  else false.

Theorem check_sound d gens D : check d gens D = true -> right_on (generated d gens) (network_of D).
Proof.
  unfold check. cbn zeta. destruct (group_ok d gens (stored_numbering D) && sizes_ok D) eqn:E; [|discriminate].
  apply andb_true_iff in E as [HG HS]. apply sizes_spec in HS. intros H.
  apply by_number_sound; [assumption|assumption|]. intros x y z Hx Hy Hz w Hw N.
  rewrite forallb_forall in H. specialize (H x ltac:(apply in_seq; lia)).
  rewrite forallb_forall in H. specialize (H y ltac:(apply in_seq; lia)).
  apply (rivals_sound D x y w (seq 0 (order D))); try assumption. apply in_seq. lia.
Qed.
