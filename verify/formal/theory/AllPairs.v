(** The check of all pairs through tables, and the theorem that its success proves. *)

From Coq Require Import ZArith List Lia Bool Arith Uint63.
From CosetVerify Require Import Definitions Sums Machine Rounding Groups Pairs Check Packing Loss Tables Factored.
Import ListNotations.
Open Scope Z_scope.

(** What does not depend on y: the number of x, its row as it is and in the order of [members], its levels, its rows in
    the tables, and the numbers of its products. *)
Record element := Element {
  number : nat;
  plain : list int;
  ordered : list int;
  level : list int;
  chosen : list nat;
  answers : list nat
}.

Definition element_of (D : stored) (C : plan) (P : list (list nat)) (x : nat) : element :=
  Element x (nth x (upper_left D) []) (arranged C (nth x (upper_left D) [])) (forest_levels (forest C) x)
    (forest_cells (forest C) x) (nth x P []).

(** Every pair of elements, for a table of products. *)
Definition check_side (D : stored) (C : plan) (P : list (list nat)) : bool :=
  if sizes_ok D && plan_ok D C then
    let numbers := seq 0 (order D) in
    let s := of_Z (input_cut C) in
    let q := of_Z (input_cut C + vote_cut C) in
    let limit := of_Z (firing_limit D C) in
    let u := of_Z (units D) in
    let start := bias_words D C in
    let top := most D C in
    let bottom := least D C in
    let trees := map (prepare (vote_words D C)) (forest C) in
    let U := map (arranged C) (upper_votes D) in
    let elements := map (element_of D C P) numbers in
    let b := machine_bias D in
    let slack := machine_slack D in
    forallb (fun y =>
      let r := nth y (upper_right D) [] in
      let rM := arranged C r in
      let T := map (fun t => table s t r) trees in
      forallb (fun e =>
        let w := nth y (answers e) 0%nat in
        rivals_ok D b slack (number e) y w (plain e) r
          (open_numbers numbers limit u s q start top bottom (ordered e) (level e) rM (nth w U []) (chosen e) T w)) elements)
      numbers
  else false.

Lemma check_side_sound D C P : check_side D C P = true -> sizes D /\ right_by_number D P.
Proof.
  unfold check_side. cbn zeta. destruct (sizes_ok D && plan_ok D C) eqn:E; [|discriminate].
  apply andb_true_iff in E as [HS HC]. apply sizes_spec in HS. intros H. split; [assumption|].
  intros x y z Hx Hy Hz w Hw N.
  rewrite forallb_forall in H. specialize (H y ltac:(apply in_seq; lia)). cbn beta in H.
  rewrite forallb_forall in H. specialize (H (element_of D C P x) ltac:(apply in_map, in_seq; lia)). cbn beta in H.
  cbn [element_of number plain ordered level chosen answers] in H. fold w in H.
  destruct (lengths D HS) as [_ [_ LU]].
  rewrite (nth_map (arranged C) (upper_votes D) [] []) in H by lia. rewrite map_map in H.
  destruct (open_sound D C x y w z HS HC Hx Hy Hw Hz) as [Hin|]; [|assumption].
  exact (rivals_sound D x y w _ HS Hx Hy Hw H z Hin Hz N).
Qed.

(** The network with its inputs exchanged, for plans that have levels for y. *)
Definition exchange (D : stored) : stored :=
  Stored (stored_neurons D) (stored_numbering D) (stored_right D) (stored_left D) (stored_votes D) (stored_bias D).

Lemma exact_logit_exchanged D x y z : exact_logit (exchange D) y x z = exact_logit D x y z.
Proof. unfold exact_logit. cbn. now rewrite hidden_commutes. Qed.

(** Row y, entry x: the number of the product of elements number x and y. *)
Definition exchanged_products (E : list permutation) : list (list nat) :=
  let N := index E in map (fun y => map (fun x => place (product x y) N) E) E.

Lemma exchanged_products_nth E x y : (x < length E)%nat -> (y < length E)%nat ->
  nth x (nth y (exchanged_products E) []) 0%nat = nth y (nth x (products E) []) 0%nat.
Proof.
  intros Hx Hy. rewrite products_nth by assumption. unfold exchanged_products. cbn zeta.
  rewrite (nth_map _ E [] []) by assumption. now rewrite (nth_map _ E 0%nat []).
Qed.

(** [mirrored]: whether the plan's levels stand for y. *)
Definition check_tables (d : nat) (gens : list permutation) (D : stored) (mirrored : bool) (C : plan) : bool :=
  let E := stored_numbering D in
  if group_ok d gens E then
    if mirrored then if sizes_ok D then check_side (exchange D) C (exchanged_products E) else false
    else check_side D C (products E)
  else false.

Theorem check_tables_sound d gens D mirrored C : check_tables d gens D mirrored C = true ->
  right_on (generated d gens) (network_of D).
Proof.
  unfold check_tables. cbn zeta. destruct (group_ok d gens (stored_numbering D)) eqn:HG; [|discriminate].
  destruct mirrored; intros H.
  - destruct (sizes_ok D) eqn:HS; [|discriminate]. apply sizes_spec in HS.
    apply check_side_sound in H as [_ H]. apply by_number_sound; [assumption|assumption|].
    intros x y z Hx Hy Hz w Hw N. rewrite <- (exact_logit_exchanged D x y z), <- (exact_logit_exchanged D x y w).
    assert (E : nth x (nth y (exchanged_products (stored_numbering D)) []) 0%nat = w) by now apply exchanged_products_nth.
    specialize (H y x z Hy Hx Hz). cbn zeta in H. rewrite E in H. now apply H.
  - apply check_side_sound in H as [HS H]. now apply by_number_sound.
Qed.
