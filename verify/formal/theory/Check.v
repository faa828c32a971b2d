(** The check of all pairs by evaluating them, and what its success proves. *)

From Coq Require Import ZArith List Lia Bool Arith Uint63.
From CosetVerify Require Import Definitions Sums Machine Rounding Groups Exceptions Pairs.
Import ListNotations.
Open Scope nat_scope.

(** The logit of the product of x and y exceeds every other one. *)
Definition right_at (G : permutation -> Prop) (N : network) (x y : permutation) : Prop :=
  forall z, G z -> z <> product x y -> (logit N x y z < logit N x y (product x y))%Z.

(** So it is for all inputs from G. *)
Definition right_on (G : permutation -> Prop) (N : network) : Prop :=
  forall x y z, G x -> G y -> G z -> z <> product x y -> (logit N x y z < logit N x y (product x y))%Z.

(** So it is for all inputs from G but the listed ones, and for none of these. *)
Definition right_except (G : permutation -> Prop) (N : network) (mistakes : list (permutation * permutation)) : Prop :=
  forall x y, G x -> G y ->
  (forall z, G z -> z <> product x y -> (logit N x y z < logit N x y (product x y))%Z) <-> ~ In (x, y) mistakes.

(** The same by numbers of elements, for a table of products and one of the pairs at which the network is wrong. *)
Definition right_by_number (D : stored) (P : list (list nat)) (M : list (list bool)) : Prop :=
  forall x y, x < order D -> y < order D ->
  let w := nth y (nth x P []) 0 in
  w < order D ->
  if marked M x y then exists z, z < order D /\ z <> w /\ (exact_logit D x y w <= exact_logit D x y z)%Z
  else forall z, z < order D -> z <> w -> (exact_logit D x y z < exact_logit D x y w)%Z.

(** What numbers say of two elements of the group. *)
Lemma by_number_at D d gens M x y (E := stored_numbering D) (w := product x y) :
  group_ok d gens E = true -> sizes D -> right_by_number D (products E) M -> generated d gens x -> generated d gens y ->
  if marked M (position x E) (position y E)
  then exists z, z < order D /\ z <> position w E /\ (logit (network_of D) x y w <= exact_logit D (position x E) (position y E) z)%Z
  else right_at (generated d gens) (network_of D) x y.
Proof.
  intros HG S H Hx Hy. destruct (group_spec d gens _ HG) as [T0 T]. destruct (T x y Hx Hy) as [Hw Q].
  fold w in Hw, Q. destruct (position_spec x _ (T0 x Hx)) as [Lx _]. destruct (position_spec y _ (T0 y Hy)) as [Ly _].
  destruct (position_spec w _ Hw) as [Lw Ew].
  specialize (H (position x E) (position y E) Lx Ly). cbn zeta in H. rewrite Q in H. specialize (H Lw).
  destruct (marked M (position x E) (position y E)).
  - rewrite logit_by_number by assumption. exact H.
  - intros z Hz N. destruct (position_spec z _ (T0 z Hz)) as [Lz Ez]. fold w. fold w in N. rewrite !logit_by_number by assumption.
    apply H; [assumption|]. intros F. apply N. rewrite <- Ez, <- Ew. now apply (f_equal (fun k => nth k E [])).
Qed.

Lemma by_number_sound D d gens : group_ok d gens (stored_numbering D) = true -> sizes D ->
  right_by_number D (products (stored_numbering D)) [] -> right_on (generated d gens) (network_of D).
Proof.
  intros HG S H x y z Hx Hy. pose proof (by_number_at D d gens [] x y HG S H Hx Hy) as R.
  rewrite marked_nothing in R. apply R.
Qed.

(** The list of elements is the group, and the mistakes are pairs of them. *)
Definition exceptions_ok (d : nat) (gens E : list permutation) (mistakes : list (permutation * permutation)) : bool :=
  if group_ok d gens E then if whole d gens E then all_listed E mistakes else false else false.

Lemma by_number_sound_except D d gens mistakes (E := stored_numbering D) : exceptions_ok d gens E mistakes = true -> sizes D ->
  right_by_number D (products E) (marks E mistakes) -> right_except (generated d gens) (network_of D) mistakes.
Proof.
  intros HE S H x y Hx Hy. unfold exceptions_ok in HE. destruct (group_ok d gens E) eqn:HG; [|discriminate].
  destruct (whole d gens E) eqn:HW; [|discriminate].
  assert (HD : distinct E = true) by (unfold group_ok in HG; rewrite !andb_true_iff in HG; tauto).
  destruct (group_spec d gens _ HG) as [T0 _].
  pose proof (by_number_at D d gens _ x y HG S H Hx Hy) as R. fold E in R. cbn zeta in R.
  destruct (position_spec x _ (T0 x Hx)) as [Lx Ex]. destruct (position_spec y _ (T0 y Hy)) as [Ly Ey].
  pose proof (marks_spec E mistakes _ _ HD HE Lx Ly) as K. rewrite Ex, Ey in K.
  destruct (marked (marks E mistakes) (position x E) (position y E)).
  - split; [|intros N; destruct N; now apply K].
    intros Right. destruct R as [z [Lz [Nz Hz]]]. exfalso.
    pose proof (whole_spec d gens E z HW Lz) as Gz. pose proof (distinct_position z E HD Lz) as Pz.
    assert (N : nth z E [] <> product x y) by (intros F; apply Nz; rewrite <- Pz; now rewrite F).
    specialize (Right _ Gz N). rewrite (logit_by_number D x y (nth z E [])) in Right by (fold E; rewrite ?Pz; assumption).
    fold E in Right. rewrite Pz in Right. lia.
  - split; [|intros _; exact R]. intros _ I. apply K in I. discriminate.
Qed.

(** Every pair, by evaluating all logits. [M] says where the network is wrong. *)
Definition check_pairs (D : stored) (M : list (list bool)) : bool :=
  if sizes_ok D then
    let P := products (stored_numbering D) in
    let numbers := seq 0 (order D) in
    let b := machine_bias D in
    let slack := machine_slack D in
    forallb (fun x =>
      let l := nth x (upper_left D) [] in
      let Px := nth x P [] in
      let Mx := nth x M [] in
      forallb (fun y =>
        let w := nth y Px 0 in
        let r := nth y (upper_right D) [] in
        if nth y Mx false then wrong_ok D b slack x y w l r numbers else all_rivals_ok D b slack x y w l r) numbers) numbers
  else false.

Lemma check_pairs_sound D M : check_pairs D M = true -> sizes D /\ right_by_number D (products (stored_numbering D)) M.
Proof.
  unfold check_pairs. cbn zeta. destruct (sizes_ok D) eqn:HS; [|discriminate]. apply sizes_spec in HS. intros H.
  split; [assumption|]. intros x y Hx Hy w Hw.
  rewrite forallb_forall in H. specialize (H x ltac:(apply in_seq; lia)).
  rewrite forallb_forall in H. specialize (H y ltac:(apply in_seq; lia)). cbn beta zeta in H. fold w in H.
  unfold marked. destruct (nth y (nth x M []) false); [now apply wrong_sound in H|].
  intros z Hz N. now apply (all_rivals_sound D x y w z).
Qed.

Definition check (d : nat) (gens : list permutation) (D : stored) : bool :=
  if group_ok d gens (stored_numbering D) then check_pairs D [] else false.

Theorem check_sound d gens D : check d gens D = true -> right_on (generated d gens) (network_of D).
Proof.
  unfold check. destruct (group_ok d gens (stored_numbering D)) eqn:HG; [|discriminate].
  intros H. apply check_pairs_sound in H as [S H]. now apply by_number_sound.
Qed.

Definition check_except (d : nat) (gens : list permutation) (D : stored) (mistakes : list (permutation * permutation)) : bool :=
  if exceptions_ok d gens (stored_numbering D) mistakes then check_pairs D (marks (stored_numbering D) mistakes) else false.

Theorem check_except_sound d gens D mistakes : check_except d gens D mistakes = true ->
  right_except (generated d gens) (network_of D) mistakes.
Proof.
  unfold check_except. destruct (exceptions_ok _ _ _ _) eqn:HE; [|discriminate].
  intros H. apply check_pairs_sound in H as [S H]. now apply by_number_sound_except.
Qed.
