(** The check through tables, and pair by pair of what these leave open. *)

From Coq Require Import ZArith List Lia Bool Arith Uint63.
From CosetVerify Require Import Definitions Sums Machine Rounding Groups Pairs Check Packing Loss Tables.
Import ListNotations.
Open Scope Z_scope.

(** [forest]: families of neurons, and how their tables are added. [input_cut], [vote_cut]: by how many bits
    activations and votes are cut down before they are multiplied, two votes at once. *)
Record plan := Plan {
  forest : list tree;
  input_cut : Z;
  vote_cut : Z
}.

(** * Coarse votes and biases *)

Definition cut_votes (t : Z) (U : list (list int)) : list (list Z) := map (map (fun u => signed u / 2 ^ t)) U.

(** Half a lane: added to every score so that none is negative. *)
Definition offset : Z := 2 ^ 30.

Definition cut_bias (D : stored) (C : plan) : list Z := map (fun b => b / 2 ^ (input_cut C + vote_cut C)) (upper_bias D).
Definition bias_rows (D : stored) (C : plan) : list (list Z) := map (fun b => [b + offset]) (cut_bias D C).
Definition bias_words (D : stored) (C : plan) : list int := map (fun w => nth 0 w 0%uint63) (pack (map (map of_Z) (bias_rows D C))).
Definition vote_words (D : stored) (C : plan) : list (list int) :=
  let t := of_Z (vote_cut C) in pack (map (map (cut63 t)) (upper_votes D)).

(** * The greatest and the least vote of each neuron *)

Definition larger (a b : int) : int := if less63 a b then b else a.
Definition smaller (a b : int) : int := if less63 a b then a else b.
Definition extreme (f : int -> int -> int) (U : list (list int)) : list int := fold_left (zip f) (tl U) (hd [] U).

Fixpoint below (s t : list int) : bool :=
  match s, t with
  | a :: s', c :: t' => if at_most63 a c then below s' t' else false
  | [], [] => true
  | _, _ => false
  end.

Definition bounded (A v : int) : bool := (abs63 v <=? A)%uint63.

Lemma below_spec s : forall t, below s t = true -> Forall2 Z.le (map signed s) (map signed t).
Proof.
  induction s as [|a s IH]; intros [|c t] H; cbn [below map] in *; try discriminate; [constructor|].
  revert H. destruct (at_most63 a c) eqn:E; [intros H | discriminate]. rewrite at_most63_spec in E.
  constructor; [now apply Z.leb_le | now apply IH].
Qed.

Lemma bounded_spec A s : 0 <= A -> forallb (bounded (of_Z A)) s = true -> Forall (within A) s.
Proof.
  intros HA H. apply Forall_forall. intros v I. rewrite forallb_forall in H. specialize (H v I). unfold bounded in H.
  apply leb_spec in H. rewrite abs63_spec, of_Z_spec in H. unfold within. pose proof (Z.mod_le A wB HA eq_refl). lia.
Qed.

(** * The plan *)

Definition members (C : plan) : list nat := forest_members (forest C).
Definition arranged (C : plan) (row : list int) : list int := pick 0%uint63 (members C) row.
Definition most (D : stored) (C : plan) : list int := arranged C (extreme larger (upper_votes D)).
Definition least (D : stored) (C : plan) : list int := arranged C (extreme smaller (upper_votes D)).

Definition plan_ok (D : stored) (C : plan) : bool :=
  let n := order D in let A := of_Z (input_bound D) in let V := of_Z (vote_bound D) in
  ((0 <=? input_cut C) && (input_cut C <? 30) && (0 <=? vote_cut C) && (vote_cut C <? 30)) &&
  forallb (tree_ok n) (forest C) && each_once (stored_neurons D) (members C) &&
  forallb (fun x => forallb (bounded A) (forest_levels (forest C) x)) (seq 0 n) &&
  (let top := most D C in let bottom := least D C in
   forallb (bounded V) top && forallb (bounded V) bottom &&
   forallb (fun u => let v := arranged C u in below v top && below bottom v) (upper_votes D)) &&
  forallb (fun b => Z.abs b <? 2 ^ 29) (cut_bias D C).

(** The largest sum of coarse activations for which no score leaves its lane. *)
Definition firing_limit (D : stored) (C : plan) : Z := 2 ^ 29 / (vote_bound D / 2 ^ vote_cut C + 1).

(** Which numbers the tables leave open at a pair with the answer w: l, g, r, u are the rows of x, its levels, and the
    rows of y and w, all in the order of [members]; T holds the tables of y, and [chosen] the rows of x in them. *)
Definition open_numbers (numbers : list nat) (limit units s q : int) (start top bottom l g r u : list int)
    (chosen : list nat) (T : list (list (list int))) (w : nat) : list nat :=
  match loss63 s units 0 l g r u top bottom with (cost, fired) =>
    if (limit <? fired)%uint63 then numbers else
      let words := total start (rows chosen T) in
      let lead := (fired + 2 + (cost >> q))%uint63 in
      let first := lane_at w words in
      if (lead <? first)%uint63 then
        let t := (first - lead)%uint63 in lanes_from t (t << 31)%uint63 0 words
      else numbers
  end.

(** * Soundness *)

Lemma dot_sum_bound V c : forall u, Forall (fun e => 0 <= e) c -> Forall (fun v => Z.abs v <= V) u -> 0 <= V ->
  Z.abs (dot c u) <= sum c * V.
Proof.
  unfold sum. induction c as [|e c IH]; intros u Fc Fu HV; cbn [dot fold_right]; [lia|].
  inversion_clear Fc as [|? ? He Fc'].
  assert (0 <= fold_right Z.add 0 c).
  { clear - Fc'. induction Fc' as [|e c He F IH]; cbn; lia. }
  destruct Fu as [|v u Hv Fu]; [nia|]. specialize (IH u Fc' Fu HV).
  assert (Z.abs (e * v) <= e * V) by (rewrite Z.abs_mul, (Z.abs_eq e) by lia; nia). lia.
Qed.

Lemma sum_nonnegative c : Forall (fun e => 0 <= e) c -> 0 <= sum c.
Proof. unfold sum. induction 1; cbn; lia. Qed.

Lemma sum_bound k H c : 0 < k -> Forall (fun e => 0 <= e /\ e * k <= H) c -> sum c * k <= Z.of_nat (length c) * H.
Proof.
  intros K F. unfold sum. induction F as [|e c He F IH]; cbn [fold_right length]; [lia|]. rewrite Nat2Z.inj_succ. nia.
Qed.

Lemma cut_bound V t u : 0 <= t -> Z.abs u <= V -> Z.abs (u / 2 ^ t) <= V / 2 ^ t + 1.
Proof.
  intros Ht H. assert (P : 0 < 2 ^ t) by now apply Z.pow_pos_nonneg.
  pose proof (Z.div_mod u (2 ^ t) ltac:(lia)). pose proof (Z.mod_pos_bound u (2 ^ t) P).
  pose proof (Z.div_mod V (2 ^ t) ltac:(lia)). pose proof (Z.mod_pos_bound V (2 ^ t) P).
  set (k := 2 ^ t) in *. set (a := u / k) in *. set (b := V / k) in *. nia.
Qed.

Lemma signed_pick M row : map signed (pick 0%uint63 M row) = pick 0 M (map signed row).
Proof. symmetry. exact (pick_map signed 0%uint63 M row). Qed.

Lemma Forall_pick A M row : 0 <= A -> Forall (within A) row -> Forall (within A) (pick 0%uint63 M row).
Proof.
  intros HA F. apply Forall_map. apply Forall_forall. intros i _. destruct (Nat.lt_ge_cases i (length row)) as [H|H].
  - now apply Forall_nth_default.
  - rewrite nth_overflow by assumption. unfold within. change (signed 0%uint63) with 0. lia.
Qed.

Theorem open_sound D C x y w z : sizes D -> plan_ok D C = true ->
  (x < order D)%nat -> (y < order D)%nat -> (w < order D)%nat -> (z < order D)%nat ->
  let r := nth y (upper_right D) [] in
  In z (open_numbers (seq 0 (order D)) (of_Z (firing_limit D C)) (of_Z (units D)) (of_Z (input_cut C))
    (of_Z (input_cut C + vote_cut C)) (bias_words D C) (most D C) (least D C)
    (arranged C (nth x (upper_left D) [])) (forest_levels (forest C) x) (arranged C r) (arranged C (nth w (upper_votes D) []))
    (forest_cells (forest C) x) (map (fun t => table (of_Z (input_cut C)) (prepare (vote_words D C) t) r) (forest C)) w)
  \/ exact_logit D x y z < exact_logit D x y w.
Proof.
  intros S HC Hx Hy Hw Hz r. unfold plan_ok in HC. cbn zeta in HC. rewrite !andb_true_iff in HC.
  destruct HC as [[[[[[[[Hs0 Hs1] Ht0] Ht1] HF] HM] HL] [[HT HB] HU]] Hb].
  apply Z.leb_le in Hs0, Ht0. apply Z.ltb_lt in Hs1, Ht1.
  set (s := input_cut C) in *. set (t := vote_cut C) in *. set (M := members C) in *. set (m := stored_neurons D) in *.
  set (A := input_bound D) in *. set (V := vote_bound D) in *.
  pose proof (bounds_positive D S) as [A0 [V0 U0]]. fold A V in A0, V0.
  pose proof (inputs_small D S) as A1. fold A in A1. pose proof (scores_small D S) as AV. fold m A V in AV.
  pose proof (units_small D S) as U1.
  assert (Ps : 0 < 2 ^ s) by now apply Z.pow_pos_nonneg. assert (Pt : 0 < 2 ^ t) by now apply Z.pow_pos_nonneg.
  assert (LM : length M = m) by (apply andb_true_iff in HM as [E _]; now apply Nat.eqb_eq).
  (* the rows, in the order of [members] *)
  set (l := arranged C (nth x (upper_left D) [])). set (rM := arranged C r). set (u := arranged C (nth w (upper_votes D) [])).
  set (v := arranged C (nth z (upper_votes D) [])). set (g := forest_levels (forest C) x).
  set (top := most D C) in *. set (bottom := least D C) in *.
  assert (Ll : length l = m) by (unfold l, arranged; now rewrite pick_length).
  assert (Lr : length rM = m) by (unfold rM, arranged; now rewrite pick_length).
  assert (Lu : length u = m) by (unfold u, arranged; now rewrite pick_length).
  assert (Lv : length v = m) by (unfold v, arranged; now rewrite pick_length).
  assert (Ltop : length top = m) by (unfold top, most, arranged; now rewrite pick_length).
  assert (Lbot : length bottom = m) by (unfold bottom, least, arranged; now rewrite pick_length).
  assert (Lg : length g = m) by (unfold g; rewrite (forest_levels_length (order D)); assumption).
  assert (Fl : Forall (within A) l) by (apply Forall_pick; [assumption | apply (left_within D S)]).
  assert (Fr : Forall (within A) rM) by (apply Forall_pick; [assumption | apply (right_within D S)]).
  assert (Fu : Forall (within V) u) by (apply Forall_pick; [assumption | apply (votes_within D S)]).
  assert (Fg : Forall (within A) g).
  { apply bounded_spec; [assumption|]. rewrite forallb_forall in HL. apply HL. apply in_seq. lia. }
  apply bounded_spec in HT, HB; [|assumption|assumption]. rewrite forallb_forall in HU.
  destruct (lengths D S) as [_ [_ LU]].
  assert (EU : forall k, (k < order D)%nat -> Forall2 Z.le (map signed (arranged C (nth k (upper_votes D) []))) (map signed top) /\
    Forall2 Z.le (map signed bottom) (map signed (arranged C (nth k (upper_votes D) [])))).
  { intros k Hk. specialize (HU (nth k (upper_votes D) []) ltac:(apply nth_In; lia)). cbn beta zeta in HU.
    apply andb_true_iff in HU as [H1 H2]. split; now apply below_spec. }
  destruct (EU w Hw) as [Eu1 Eu2]. destruct (EU z Hz) as [Ev1 Ev2]. fold u in Eu1, Eu2. fold v in Ev1, Ev2.
  (* coarse activations *)
  set (c := coarse s (map signed g) (map signed rM)).
  set (h := hidden (map signed l) (map signed rM)).
  assert (Ec : map signed (coarse63 (of_Z s) g rM) = c) by (apply (coarse63_spec s A); try assumption; lia).
  assert (Fc : Forall (fun e => 0 <= e /\ e * 2 ^ s <= 2 * A) c) by (apply coarse_bound; [assumption | now apply Forall_map ..]).
  assert (Fc0 : Forall (fun e => 0 <= e) c) by (revert Fc; apply Forall_impl; tauto).
  assert (Lc : length c = m) by (unfold c, coarse; rewrite map_length, hidden_length; rewrite !map_length; congruence).
  assert (Lh : length h = m) by (unfold h; rewrite hidden_length; rewrite !map_length; congruence).
  assert (Fh : Forall (fun v => 0 <= v <= 2 * A) h) by (apply hidden_bound; now apply Forall_map).
  pose proof (loss_bound s (2 * A) V h c (map signed u) (map signed top) (map signed bottom) ltac:(lia) V0 Fh Fc
    ltac:(now apply Forall_map) Eu1 Eu2 ltac:(now apply Forall_map) ltac:(now apply Forall_map) Hs0) as LB.
  set (cost := loss s h c (map signed u) (map signed top) (map signed bottom)) in *.
  rewrite Lh in LB. assert (LB' : 0 <= cost <= 2 ^ 60) by lia.
  pose proof (sum_bound (2 ^ s) (2 * A) c Ps Fc) as SB. rewrite Lc in SB. pose proof (sum_nonnegative c Fc0) as SN.
  assert (SB' : 0 <= sum c < 2 ^ 61).
  { assert (Z.of_nat m * (2 * A) < 2 ^ 61) by (unfold units in U1; fold m A V in U1; nia). nia. }
  destruct (loss63_spec s A l g rM u top bottom (of_Z (units D)) 0%uint63 ltac:(lia) A1 Fl Fg Fr ltac:(congruence) ltac:(congruence)
    ltac:(congruence) ltac:(congruence) ltac:(congruence)) as [Lo1 Lo2].
  fold h c cost in Lo1, Lo2. unfold open_numbers.
  destruct (loss63 _ _ _ _ _ _ _ _ _) as [cost63 fired63]. cbn [fst snd] in Lo1, Lo2.
  change (φ (0)%uint63) with 0 in Lo2. rewrite Z.add_0_l, Z.mod_small in Lo2 by lia.
  rewrite of_Z_spec, wB_value, (Z.mod_small (units D)) in Lo1 by lia. rewrite Z.mod_small in Lo1 by lia.
  assert (everything : In z (seq 0 (order D))) by (apply in_seq; lia).
  destruct (ltbP (of_Z (firing_limit D C)) fired63) as [|Hf]; [now left|].
  (* scores in lanes *)
  set (K := V / 2 ^ t + 1). assert (K0 : 0 < K) by (unfold K; pose proof (Z.div_pos V (2 ^ t)); lia).
  assert (Hsum : sum c * K <= 2 ^ 29).
  { unfold firing_limit in Hf. fold V t K in Hf. rewrite of_Z_spec, wB_value, Z.mod_small in Hf.
    - rewrite Lo2 in Hf. pose proof (Z.mul_div_le (2 ^ 29) K K0). nia.
    - split; [apply Z.div_pos; lia|]. apply Z.div_lt_upper_bound; nia. }
  set (Y := cut_votes t (upper_votes D)). set (B := bias_rows D C).
  set (f := fun k => nth 0 (nth k B []) 0 + dot c (pick 0 M (nth k Y []))).
  assert (LY : length Y = order D) by (unfold Y, cut_votes; now rewrite map_length).
  assert (LBi : length (cut_bias D C) = order D).
  { unfold cut_bias, upper_bias. rewrite !map_length. apply (bias_length D S). }
  assert (LB2 : length B = order D) by (unfold B, bias_rows; now rewrite map_length).
  assert (YE : forall k, (k < order D)%nat -> pick 0 M (nth k Y []) =
    map (fun e => e / 2 ^ t) (map signed (arranged C (nth k (upper_votes D) [])))).
  { intros k Hk. unfold Y, cut_votes. rewrite (nth_map _ _ [] []) by lia. unfold arranged. fold M. rewrite map_map.
    symmetry. rewrite <- pick_map. reflexivity. }
  assert (Bk : forall k, (k < order D)%nat -> nth 0 (nth k B []) 0 = nth k (cut_bias D C) 0 + offset).
  { intros k Hk. unfold B, bias_rows. now rewrite (nth_map _ _ [] 0) by lia. }
  assert (Bb : forall k, (k < order D)%nat -> Z.abs (nth k (cut_bias D C) 0) < 2 ^ 29).
  { intros k Hk. rewrite forallb_forall in Hb. apply Z.ltb_lt. apply Hb. apply nth_In. lia. }
  assert (Fb : forall k, 0 <= f k < lane).
  { intros k. unfold f. destruct (Nat.lt_ge_cases k (order D)) as [Hk|Hk].
    - rewrite (Bk k Hk), (YE k Hk). pose proof (Bb k Hk).
      pose proof (dot_sum_bound K c (map (fun e => e / 2 ^ t) (map signed (arranged C (nth k (upper_votes D) [])))) Fc0) as Q.
      specialize (Q ltac:(apply Forall_map, Forall_map;
        eapply Forall_impl; [|apply (Forall_pick V M _ V0 (votes_within D S k))];
        intros a Ha; apply cut_bound; assumption) ltac:(lia)).
      unfold offset, lane in *. lia.
    - rewrite (nth_overflow B) by lia. rewrite (nth_overflow Y) by lia.
      assert (Z0 : forall N e, dot e (pick 0 N []) = 0).
      { clear. induction N as [|i N IH]; intros [|a e]; try reflexivity. cbn [pick map dot]. unfold pick in IH. rewrite IH.
        destruct i; cbn; lia. }
      rewrite Z0. cbn. unfold lane. lia. }
  set (W := vote_words D C). set (start := bias_words D C).
  set (T := rows (forest_cells (forest C) x) (map (fun t0 => table (of_Z s) (prepare W t0) r) (forest C))).
  destruct (rows_spec (order D) (of_Z s) W (forest C) r x HF Hx) as [RL RS]. fold T in RL, RS.
  assert (LW : length W = words_for (order D)) by (unfold W, vote_words; rewrite pack_length, map_length; congruence).
  assert (Lst : length start = length W).
  { unfold start, bias_words. fold B. rewrite map_length, pack_length, map_length. congruence. }
  assert (Ew : total start T = fold_left add63 T start) by (apply (total_spec (length W) (length T)); [lia|assumption|assumption]).
  rewrite Ew. set (words := fold_left add63 T start).
  assert (Lwords : length words = words_for (order D)).
  { unfold words. rewrite <- LW. apply fold_add_length; assumption. }
  assert (Span : forall k, (k < order D)%nat -> (k < 2 * length words)%nat).
  { intros k Hk. rewrite Lwords. unfold words_for. pose proof (Nat.div2_odd (Datatypes.S (order D))) as Q.
    destruct (Nat.odd (Datatypes.S (order D))); cbn [Nat.b2n] in Q; lia. }
  assert (Cong : forall j, (j < length words)%nat -> congruent (φ (nth j words 0)%uint63) (f (2 * j)%nat + lane * f (2 * j + 1)%nat)).
  { intros j Hj. rewrite Lwords in Hj. unfold words.
    eapply congruent_trans; [apply (fold_add_nth (length W)); [lia|assumption|assumption]|].
    assert (C1 : congruent (φ (nth j start 0)%uint63) (nth 0 (nth (2 * j) B []) 0 + lane * nth 0 (nth (2 * j + 1) B []) 0)).
    { unfold start, bias_words. fold B. rewrite (nth_map _ _ _ []) by (rewrite pack_length, map_length, LB2; assumption).
      apply (pack_spec 1); [| |rewrite pack_length, map_length, LB2; assumption].
      - unfold B, bias_rows. rewrite map_map. apply Forall_map, Forall_forall. reflexivity.
      - rewrite <- (map_id B) at 2. apply Forall2_map_same. intros row. rewrite <- (map_id row) at 2.
        apply Forall2_map_same. intros b. apply congruent_of_Z. }
    assert (C2 : congruent (dot c (map signed (pick 0%uint63 M (nth j W []))))
      (dot c (pick 0 M (nth (2 * j) Y [])) + lane * dot c (pick 0 M (nth (2 * j + 1) Y [])))).
    { apply dot_pack. intros i. unfold W, vote_words, Y, cut_votes. fold t. apply (pack_spec m).
      - apply Forall_map, Forall_forall. intros row Hrow. rewrite map_length.
        apply (In_nth _ _ []) in Hrow as [k [Hk <-]]. apply (votes_length D S). lia.
      - apply Forall2_map_same. intros row. apply Forall2_map_same. intros v0. apply cut63_spec. lia.
      - rewrite pack_length, map_length, LU. assumption. }
    specialize (RS j ltac:(lia)). fold (members C) in RS. fold M in RS. fold g in RS.
    change (pick 0%uint63 M r) with rM in RS. rewrite Ec in RS.
    eapply congruent_trans; [exact (congruent_add _ _ _ _ C1 (congruent_trans _ _ _ RS C2))|].
    unfold f. exists 0. ring. }
  pose proof (lanes_spec words f Cong Fb) as Lanes.
  cbn zeta. rewrite lane_at_spec.
  assert (Efirst : φ (nth w (lanes words) 0)%uint63 = f w) by (apply Lanes, Span, Hw).
  set (first := nth w (lanes words) 0%uint63) in *.
  assert (Elead : φ (fired63 + 2 + (cost63 >> of_Z (s + t)))%uint63 = sum c + 2 + (units D + cost) / 2 ^ (s + t)).
  { assert (Q : φ (cost63 >> of_Z (s + t))%uint63 = (units D + cost) / 2 ^ (s + t)).
    { rewrite lsr_spec, of_Z_spec, wB_value, (Z.mod_small (s + t)), Lo1 by lia. reflexivity. }
    assert (0 <= (units D + cost) / 2 ^ (s + t) < 2 ^ 62).
    { assert (0 < 2 ^ (s + t)) by (apply Z.pow_pos_nonneg; lia).
      split; [apply Z.div_pos; lia|]. apply Z.div_lt_upper_bound; nia. }
    rewrite !add_spec, Q, wB_value, Lo2. change (φ (2)%uint63) with 2. rewrite (Z.mod_small (sum c + 2)) by lia.
    apply Z.mod_small. lia. }
  set (lead := (fired63 + 2 + (cost63 >> of_Z (s + t)))%uint63) in *.
  destruct (ltbP lead first) as [Hlead|]; [|now left].
  pose proof (Fb w) as Fw.
  assert (Et : φ (first - lead)%uint63 = f w - φ (lead)%uint63).
  { rewrite sub_spec, wB_value, Efirst. pose proof (machine_bounds lead). apply Z.mod_small. unfold lane in *. lia. }
  destruct (lanes_from_spec (first - lead)%uint63) with (words := words) (z0 := 0%nat) (z := z) as [Hlow|]; [|now apply Span| |now left].
  { rewrite Et. pose proof (machine_bounds lead). lia. }
  (* z is beaten: from lanes to scores *)
  right. apply score_sound; try assumption. rewrite (Lanes z (Span z Hz)), Et, Elead in Hlow.
  unfold f in Hlow. rewrite (Bk w Hw), (Bk z Hz), (YE w Hw), (YE z Hz) in Hlow. fold u v in Hlow.
  pose proof (coarse_votes_spec t c (map signed u) (map signed v) Ht0 Fc0 ltac:(rewrite map_length; congruence)
    ltac:(rewrite map_length; congruence)) as Cv.
  pose proof (loss_spec s h c (map signed u) (map signed v) (map signed top) (map signed bottom) ltac:(congruence)
    ltac:(rewrite map_length; congruence) Ev1 Ev2 ltac:(rewrite map_length; congruence)) as Ls. fold cost in Ls.
  unfold score.
  assert (Eh : h = pick 0 M (hidden (signed_row (upper_left D) x) (signed_row (upper_right D) y))).
  { unfold h, l, rM, arranged, signed_row. rewrite !signed_pick. fold M. apply hidden_pick. rewrite !map_length.
    unfold r. rewrite (left_length D S x Hx), (right_length D S y Hy). reflexivity. }
  set (H := hidden (signed_row (upper_left D) x) (signed_row (upper_right D) y)) in *.
  assert (LH : length H = m).
  { unfold H, signed_row. rewrite hidden_length; rewrite !map_length, ?(left_length D S x Hx), ?(right_length D S y Hy); reflexivity. }
  assert (Du : forall k, (k < order D)%nat -> dot h (map signed (arranged C (nth k (upper_votes D) []))) = dot H (signed_row (upper_votes D) k)).
  { intros k Hk. unfold arranged. fold M. rewrite signed_pick, Eh. apply (dot_each_once m); [assumption|assumption|].
    unfold signed_row. rewrite map_length. now apply (votes_length D S). }
  pose proof (Du w Hw) as Duw. pose proof (Du z Hz) as Duz. fold u in Duw. fold v in Duz. rewrite <- Duw, <- Duz.
  (* the arithmetic of the last step *)
  assert (Pq : 0 < 2 ^ (s + t)) by (apply Z.pow_pos_nonneg; lia).
  assert (Eq : 2 ^ (s + t) = 2 ^ s * 2 ^ t) by (apply Z.pow_add_r; assumption).
  assert (Cb : forall k, (k < order D)%nat -> nth k (cut_bias D C) 0 = nth k (upper_bias D) 0 / 2 ^ (s + t)).
  { intros k Hk. unfold cut_bias. fold s t. rewrite (nth_map _ _ 0 0); [reflexivity|].
    unfold upper_bias. rewrite map_length, (bias_length D S). assumption. }
  rewrite (Cb w Hw), (Cb z Hz) in Hlow.
  set (bw := nth w (upper_bias D) 0) in *. set (bz := nth z (upper_bias D) 0) in *.
  pose proof (Z.div_mod bw (2 ^ (s + t)) ltac:(lia)) as Ebw. pose proof (Z.mod_pos_bound bw (2 ^ (s + t)) Pq) as Mbw.
  pose proof (Z.div_mod bz (2 ^ (s + t)) ltac:(lia)) as Ebz. pose proof (Z.mod_pos_bound bz (2 ^ (s + t)) Pq) as Mbz.
  pose proof (Z.div_mod (units D + cost) (2 ^ (s + t)) ltac:(lia)) as Euc.
  pose proof (Z.mod_pos_bound (units D + cost) (2 ^ (s + t)) Pq) as Muc.
  set (du := dot c (map (fun w0 => w0 / 2 ^ t) (map signed u))) in *.
  set (dv := dot c (map (fun w0 => w0 / 2 ^ t) (map signed v))) in *.
  set (eu := dot c (map signed u)) in *. set (ev := dot c (map signed v)) in *.
  set (fu := dot h (map signed u)) in *. set (fv := dot h (map signed v)) in *.
  set (qw := bw / 2 ^ (s + t)) in *. set (qz := bz / 2 ^ (s + t)) in *. set (qc := (units D + cost) / 2 ^ (s + t)) in *.
  assert (Step : 2 ^ s * (2 ^ t * (du - dv - sum c)) <= 2 ^ s * (eu - ev)) by (apply Z.mul_le_mono_nonneg_l; lia).
  replace (2 ^ s * (2 ^ t * (du - dv - sum c))) with (2 ^ (s + t) * (du - dv - sum c)) in Step by (rewrite Eq; ring).
  set (k := 2 ^ (s + t)) in *. clearbody k.
  assert (Last : 0 <= k * ((qw - qz) + (du - dv - sum c) - qc - 3)) by (apply Z.mul_nonneg_nonneg; lia).
  replace (k * (qw - qz + (du - dv - sum c) - qc - 3)) with (k * qw - k * qz + k * (du - dv - sum c) - k * qc - 3 * k) in Last by ring.
  lia.
Qed.
